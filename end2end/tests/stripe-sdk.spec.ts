// Events signed by Stripe's own SDK are believed, and nothing else is: the signature is checked by code of ours, so its
// other side is code of theirs.

import { expect, test } from "@playwright/test";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import Stripe from "stripe";
import { Nexus } from "./nexus";

const OLD = "whsec_a";
const NEW = "whsec_b";
const stripe = new Stripe("sk_test_x");

let nexus: Nexus;
let stub: Server;
let asked: { path: string; key: string | undefined; body: string }[] = [];

/** The two calls that opening a checkout makes. */
function answer(path: string): object | undefined {
  if (path === "/v1/customers") return { id: "cus_stub", object: "customer" };
  const session = { id: "cs_test_stub", object: "checkout.session", status: "open", payment_status: "unpaid" };
  if (path === "/v1/checkout/sessions") return { ...session, url: "https://checkout.example/pay/cs_test_stub" };
  if (path === "/v1/checkout/sessions/cs_test_stub") return session;
  return undefined;
}

test.beforeAll(async () => {
  stub = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      const path = request.url!.split("?")[0];
      asked.push({ path, key: request.headers["idempotency-key"]?.toString(), body });
      const found = answer(path);
      const error = { error: { type: "invalid_request_error", message: `not played here: ${path}` } };
      response.writeHead(found ? 200 : 404, { "content-type": "application/json" });
      response.end(JSON.stringify(found ?? error));
    });
  });
  await new Promise<void>((listening) => stub.listen(0, "127.0.0.1", listening));
  const { port } = stub.address() as AddressInfo;
  nexus = await Nexus.start({
    STRIPE_SECRET_KEY: "sk_test_x",
    STRIPE_WEBHOOK_SECRET: `${OLD},${NEW}`,
    STRIPE_API_BASE: `http://127.0.0.1:${port}/`,
  });
});

test.afterAll(async () => {
  await nexus.stop();
  stub.close();
});

async function post(payload: string, signature?: string, path = "/stripe/webhook"): Promise<{ status: number; body: any }> {
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (signature !== undefined) headers["stripe-signature"] = signature;
  const response = await fetch(`${nexus.url}${path}`, { method: "POST", headers, body: payload });
  return { status: response.status, body: await response.json() };
}

const signed = (payload: string, secret: string, timestamp = Math.floor(Date.now() / 1000)) =>
  stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp });

test("what Stripe's SDK signs is taken, once, and nothing else is", async ({ request }) => {
  const origin = { origin: nexus.url };
  const person = { email: "sdk@example.org", name: "sdk", password: "long enough" };
  await request.post(`${nexus.url}/sign-up`, { form: person, headers: origin, maxRedirects: 0 });
  const begun = await request.post(`${nexus.url}/credits/buy`, { form: { package: "starter" }, headers: origin, maxRedirects: 0 });
  expect(begun.headers().location).toBe("https://checkout.example/pay/cs_test_stub");
  const [bought] = await nexus.query<{ id: string }>("SELECT id FROM purchases WHERE stripe_session_id = 'cs_test_stub'");
  const call = asked.find((a) => a.path === "/v1/checkout/sessions")!;
  expect(call.key).toBe(`checkout-${bought.id}`);
  expect(new URLSearchParams(call.body).get("payment_intent_data[metadata][purchase_id]")).toBe(bought.id);

  const event = (id: string) =>
    JSON.stringify({
      id,
      object: "event",
      api_version: "2099-01-01.future",
      created: Math.floor(Date.now() / 1000),
      type: "checkout.session.completed",
      data: {
        object: {
          id: "cs_test_stub",
          object: "checkout.session",
          status: "complete",
          payment_status: "paid",
          client_reference_id: bought.id,
          payment_intent: "pi_stub",
          amount_total: 1000,
          currency: "usd",
        },
      },
    });
  const payload = event("evt_sdk_1");
  const now = Math.floor(Date.now() / 1000);

  expect((await post(payload)).status).toBe(400);
  expect((await post(payload, signed(payload, "whsec_c"))).status).toBe(400);
  expect((await post(payload, signed(payload, NEW, now - 600))).status).toBe(400);
  expect((await post(payload.replace("1000", "9000"), signed(payload, NEW))).status).toBe(400);
  expect((await post(`${payload} `, signed(payload, NEW))).status).toBe(400);
  expect(await nexus.query("SELECT 1 FROM stripe_events")).toEqual([]);
  expect(await nexus.balance(person.email)).toBe(1000);

  expect(await post(payload, signed(payload, OLD))).toEqual({ status: 200, body: { data: { received: true, effect: "credited" } } });
  expect((await post(payload, signed(payload, NEW))).body.data.effect).toBe("known before");
  const other = event("evt_sdk_2");
  expect((await post(other, signed(other, NEW), "/api/v1/billing/webhook")).body.data.effect).toBe("known before");
  expect(await nexus.balance(person.email)).toBe(2000);
  await nexus.expectAuditClean();
});

test("the operator corrects a balance and takes the books along", async () => {
  const adjust = (amount: string, reason: string) =>
    nexus.command("ledger", "adjust", "--user", "sdk@example.org", "--amount", amount, "--reason", reason);
  const done = await adjust("-12.50", "Paid by hand");
  expect([done.code, /^[0-9a-f-]{36}$/m.test(done.output)]).toEqual([0, true]);
  expect(await nexus.balance("sdk@example.org")).toBe(1987.5);
  for (const [amount, reason] of [["1.005", "x"], ["-9999", "x"], ["1", " "]]) {
    const refused = await adjust(amount, reason);
    expect([refused.code === 0, refused.output.includes("nexus: ")], refused.output).toEqual([false, true]);
  }
  expect(await nexus.balance("sdk@example.org")).toBe(1987.5);

  const hledger = (await nexus.command("ledger", "export")).output;
  expect(hledger).toContain("commodity 1000.00 CREDITS");
  expect(hledger).toContain("issued:purchases  -1000.00 CREDITS");
  expect(hledger).toContain("Paid by hand");
  const beancount = (await nexus.command("ledger", "export", "--format", "beancount")).output;
  expect(beancount).toContain("open Liabilities:Platform CREDITS");
  expect((await nexus.command("ledger", "export", "--format", "excel")).code).toBe(2);
});

test("a place to be killed at must exist", async () => {
  const refused = await nexus.command("audit", "--fault-point", "nowhere");
  expect([refused.code, refused.output.includes('--fault-point is "nowhere"')], refused.output).toEqual([1, true]);
});
