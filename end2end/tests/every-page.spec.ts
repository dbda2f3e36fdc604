// Every page, light and dark, wide and on a phone: nothing in the console, no serious axe violation, nothing cut off.

import AxeBuilder from "@axe-core/playwright";
import type { Browser, BrowserContextOptions, Page } from "@playwright/test";
import { Agent } from "./agent";
import { Client } from "./client";
import { complaints, expect, type Nexus, type Studio, test } from "./nexus";

const DOCS = ["", "/hire", "/list-an-agent", "/disputes", "/credits", "/trust", "/webhooks", "/cli", "/use-the-api", "/a2a", "/mcp", "/sdk", "/api", "/run", "/data-model"];

/** Addresses that exist once the demo has made its history; the owner sees the pages of both sides. */
async function addresses(nexus: Nexus): Promise<{ visitor: string[]; owner: string[] }> {
  await nexus.quiet();
  const [agent] = await nexus.query<{ id: string }>("SELECT id FROM agents WHERE name = 'Summariser'");
  const tasks = await nexus.query<{ id: string }>(
    // Of the demo's agents alone: what other tests have made on this server is not its owner's to see.
    `SELECT DISTINCT ON (t.assigned_agent_id) t.id FROM tasks t JOIN agents a ON a.id = t.assigned_agent_id
       JOIN auth.users u ON u.id = a.owner_user_id
      WHERE t.status = 'completed' AND u.email = 'owner@nexus.example' ORDER BY t.assigned_agent_id, t.created_at`,
  );
  return {
    visitor: [
      "/",
      "/marketplace",
      "/marketplace?q=nothing-like-this",
      `/marketplace/${agent.id}`,
      ...DOCS.map((d) => `/docs${d}`),
      "/sign-in",
      "/sign-up",
      "/no-such-page",
    ],
    owner: [
      `/marketplace/${agent.id}/hire`,
      "/dashboard",
      "/agents",
      "/agents/register",
      `/agents/${agent.id}`,
      "/tasks",
      "/tasks?state=cancelled",
      ...tasks.map((t) => `/tasks/${t.id}`),
      "/credits",
      "/credits?type=purchase",
      "/credits/usage",
      "/credits/usage?days=7",
      "/credits/topup",
      "/credits/receipts",
      "/settings",
    ],
  };
}

/** Buys once, and leaves one purchase unpaid: the addresses of the receipt and of the ways back. */
async function purchases(page: Page, nexus: Nexus): Promise<string[]> {
  const sql =
    "SELECT p.id FROM purchases p JOIN auth.users u ON u.id = p.user_id WHERE u.email = 'owner@nexus.example' AND p.status = $1";
  for (const status of ["paid", "open"]) {
    if ((await nexus.query(sql, [status])).length > 0) continue;
    await page.goto(`${nexus.url}/credits`);
    await page.getByRole("button", { name: "Buy Starter for $10.00" }).click();
    await expect(page.getByLabel("Card number")).toBeVisible();
    if (status === "open") continue;
    await page.getByRole("button", { name: "Pay $10.00" }).click();
    await expect(page.getByRole("heading", { name: "Thank you" })).toBeVisible({ timeout: 30_000 });
  }
  const [paid] = await nexus.query<{ id: string }>(sql, ["paid"]);
  const [open] = await nexus.query<{ id: string }>(sql, ["open"]);
  return [
    `/credits/receipts/${paid.id}`,
    `/credits/return?purchase=${paid.id}`,
    // The last try: the page no longer reloads itself while it is looked at.
    `/credits/return?purchase=${open.id}&try=30`,
    `/credits/return?purchase=${open.id}&cancelled=1`,
  ];
}

/** An endpoint where nobody answers and one that is off: the addresses of their pages and of a message. */
async function webhooks(page: Page, nexus: Nexus): Promise<string[]> {
  const find = async (url: string) =>
    (await nexus.query<{ id: string }>("SELECT id FROM webhook_endpoints WHERE url = $1", [url])).map((row) => row.id);
  const [silent, quiet] = ["http://127.0.0.1:9/hook", `http://127.0.0.1:9/${"0123456789abcdef".repeat(8)}`];
  if ((await find(silent)).length === 0) {
    await look(page, `${nexus.url}/settings/webhooks`);
    await page.getByLabel("URL").fill(silent);
    await page.getByLabel("Description").fill("Where nobody answers");
    await page.getByRole("button", { name: "Add it" }).click();
    await expect(page.locator("main")).toContainText("It is shown this once.");
    await page.getByRole("button", { name: "Send a test message" }).click();
    await expect(page.locator("main")).toContainText("Not delivered");
    await page.goto(`${nexus.url}/settings/webhooks`);
    await page.getByLabel("URL").fill(quiet);
    await page.getByLabel("Only these types").check();
    await page.getByRole("checkbox", { name: "task.completed" }).check();
    await page.getByRole("checkbox", { name: "credits.purchased" }).check();
    await page.getByRole("button", { name: "Add it" }).click();
    await page.getByRole("button", { name: "Switch off" }).click();
    await expect(page.locator("main")).toContainText("Nothing is sent here");
  }
  const [[failing], [off]] = [await find(silent), await find(quiet)];
  const [delivery] = await nexus.query<{ id: string }>("SELECT id FROM webhook_deliveries WHERE endpoint_id = $1", [failing]);
  const base = "/settings/webhooks";
  return [base, `${base}/${failing}`, `${base}/${failing}?state=failed`, `${base}/${off}`, `${base}/${failing}/deliveries/${delivery.id}`];
}

/** A key with every limit, one that lasts a week, and one that was revoked: the addresses of the list and of their pages. */
async function keys(page: Page, nexus: Nexus): Promise<string[]> {
  const sql = "SELECT k.id FROM api_keys k JOIN auth.users u ON u.id = k.user_id WHERE u.email = 'owner@nexus.example' AND k.prefix <> 'nxa_' ORDER BY k.created_at";
  if ((await nexus.query(sql)).length === 0) {
    const make = async (name: string, expires: string, fill: () => Promise<void>) => {
      await page.goto(`${nexus.url}/settings/keys`);
      await page.locator("#new").evaluate((form) => form.setAttribute("open", ""));
      await page.getByLabel("Name", { exact: true }).fill(name);
      await page.getByLabel("Expires").selectOption(expires);
      await fill();
      await page.getByRole("button", { name: "Make the key" }).click();
      await expect(page.locator("main")).toContainText("It is shown this once.");
    };
    await look(page, `${nexus.url}/settings/keys`, "first");
    await make("Nightly reports of the accounts in the north and the south", "On a date", async () => {
      await page.getByLabel("Last day").fill("2099-12-31");
      for (const scope of ["agents:read", "tasks:write", "billing:read"]) await page.getByRole("checkbox", { name: scope }).check();
      for (const [cap, most] of [["A day", "25"], ["A month", "500"], ["In all", "1000"]]) {
        await page.getByRole("textbox", { name: cap }).fill(most);
      }
      await page.getByLabel("Only these agents").check();
      await page.getByLabel("Summariser").check();
      await page.getByLabel("Requests a minute").fill("60");
    });
    await make("0123456789abcdef".repeat(6), "In 7 days", () => page.getByLabel("Everything, also what is added later").check());
    await make("Old", "Never", () => page.getByRole("checkbox", { name: "keys:read" }).check());
    await page.getByText("I want to revoke it").click();
    await page.getByLabel("It does not come back").check();
    await page.getByRole("button", { name: "Revoke it" }).click();
    await expect(page.getByText("The key is revoked.")).toBeVisible();
  }
  return ["/settings/keys", ...(await nexus.query<{ id: string }>(sql)).map((key) => `/settings/keys/${key.id}`)];
}

/** A client that is connected and one that was cut off: the addresses of the question and of the list. */
async function connections(page: Page, nexus: Nexus): Promise<string[]> {
  const list = "/settings/connections";
  const client = await Client.start(nexus, "0123456789abcdef".repeat(6));
  const ask = client.ask("agents:read tasks:write workflows:write billing:read");
  const sql = "SELECT 1 FROM api_keys k JOIN auth.users u ON u.id = k.user_id WHERE u.email = 'owner@nexus.example' AND k.prefix = 'nxa_'";
  if ((await nexus.query(sql)).length === 0) {
    await look(page, nexus.url + list, "first");
    for (const again of [true, false]) {
      await page.goto(nexus.url + ask);
      await page.getByRole("button", { name: "Connect" }).click();
      await expect(page.getByRole("heading", { name: "You can go back" })).toBeVisible();
      await client.tokens();
      await page.goto(nexus.url + list);
      if (again) await page.getByRole("button", { name: "Cut off" }).click();
    }
  }
  await client.stop();
  return [ask, `${ask}&redirect_uri=twice`, list];
}

type Session = BrowserContextOptions["storageState"];

/** Somebody who is signed in, and the addresses that look different to them. */
interface Person {
  name: string;
  session: Session;
  sees: string[];
}

// Longer than a phone is wide, and without a place to break it.
const LONG = `https://paint.example.org/orders/${"0123456789abcdef".repeat(8)}`;
let made: Promise<Person[]> | undefined;

/** What a person sees of tasks that ask, fail, are judged and disputed, made once: the buyer's, the provider's, the operator's. */
function people(browser: Browser, nexus: Nexus, studio: Studio): Promise<Person[]> {
  made ??= makePeople(browser, nexus, studio);
  return made;
}

async function makePeople(browser: Browser, nexus: Nexus, studio: Studio): Promise<Person[]> {
  const { agent, id, owner } = studio;
  const [buyer, judge] = [await browser.newPage(), await browser.newPage()];
  await nexus.signUp(buyer, "critic");
  await nexus.command("user", "operator", "--email", await nexus.signUp(judge, "judge"));
  const session = (page: Page) => page.context().storageState();

  const asking = await nexus.hire(buyer, id, "ask me before you paint");
  await expect(buyer.getByRole("heading", { name: "Your answer" })).toBeVisible({ timeout: 30_000 });
  agent.broken = true;
  const failed = await nexus.hire(buyer, id, `print ${LONG}`);
  await expect(buyer.locator("#task-live")).toContainText("out of paper", { timeout: 30_000 });
  agent.broken = false;
  const done = await nexus.hireDone(buyer, id, `paint it like this: ${LONG}`);

  const rated = await nexus.hireDone(buyer, id, "paint the gate");
  await buyer.getByLabel("4 – Good").check();
  await buyer.getByLabel("In your words").fill(`Even and quick.\n\nOne hinge was missed: ${LONG}`);
  await buyer.getByRole("button", { name: "Rate it" }).click();
  await owner.goto(`${nexus.url}/marketplace/${id}?answer=${rated}`);
  await owner.getByRole("textbox", { name: "Your answer" }).fill("The hinge is on us. Come again.");
  await owner.getByRole("button", { name: "Publish the answer" }).click();

  const [open, decided] = [
    await nexus.disputed(buyer, id, `One side was left out: ${LONG}`),
    await nexus.disputed(buyer, id, "It is the wrong fence."),
  ];
  await owner.goto(`${nexus.url}/tasks/${open}`);
  await owner.getByLabel("Your statement").fill("The far side could not be reached.\n\nIt is behind the neighbour's shed.");
  await owner.getByRole("button", { name: "Add it" }).click();
  await owner.getByLabel("Propose a refund").fill("4.00");
  await owner.getByRole("button", { name: "Propose it" }).click();
  await judge.goto(`${nexus.url}/admin/disputes/${decided}`);
  await judge.getByLabel("Refund to the requester").fill("7.50");
  await judge.getByLabel("Why").fill("The order named no fence, but the photo did.");
  await judge.getByRole("button", { name: "Decide" }).click();
  await expect(judge.locator("main")).toContainText("go back to the requester");

  const closed = await Agent.start("Closed shop");
  const gone = await nexus.list(owner, closed);
  await closed.stop();
  await nexus.untilOffline(owner, gone);
  const untested = await nexus.register(owner, agent);
  await months(nexus, id);
  const sees = (...paths: string[]) => paths;
  return [
    {
      name: "buyer",
      session: await session(buyer),
      sees: sees("/tasks", ...[asking, failed, done, rated, open, decided].map((t) => `/tasks/${t}`), `/marketplace/${id}`),
    },
    {
      name: "provider",
      session: await session(owner),
      sees: sees(
        ...[asking, failed, rated, open].map((t) => `/tasks/${t}`),
        `/marketplace/${id}?answer=${rated}`,
        `/marketplace/${gone}`,
        ...[id, gone, untested].map((a) => `/agents/${a}`),
      ),
    },
    {
      name: "operator",
      session: await session(judge),
      sees: sees("/admin", `/admin/disputes/${open}`, `/admin/disputes/${decided}`),
    },
  ];
}

/** As if the agent had been watched and hired for three months: the pictures need days, and a test has none. */
async function months(nexus: Nexus, agent: string): Promise<void> {
  await nexus.query(
    `INSERT INTO agent_uptime (agent_id, day, up_seconds, degraded_seconds, down_seconds)
     SELECT $1, (now() AT TIME ZONE 'UTC')::date - n, 86400 - d - g, g, d
     FROM (SELECT n, CASE n % 9 WHEN 4 THEN 600 ELSE 0 END AS d, CASE n % 7 WHEN 3 THEN 3600 ELSE 0 END AS g
           FROM generate_series(1, 24) n WHERE n % 11 <> 10) days`,
    [agent],
  );
  await nexus.query(
    `INSERT INTO trust_history (agent_id, day, score)
     SELECT $1, (now() AT TIME ZONE 'UTC')::date - n, 50 + 0.4 * (88 - n) - CASE WHEN n BETWEEN 20 AND 30 THEN 12 ELSE 0 END
     FROM generate_series(1, 88) n`,
    [agent],
  );
}

async function look(page: Page, url: string, who = ""): Promise<void> {
  await page.goto(url);
  // The islands are awake once the wasm has run; what it complains about comes before that.
  await page.waitForLoadState("load");
  await page.waitForTimeout(100);
  if (url.endsWith("/docs/api")) {
    // One operation open: the others are made of the same.
    await page.locator("#operations-Tasks-createTask .opblock-summary-control").click();
    await expect(page.locator("#operations-Tasks-createTask .responses-table").first()).toBeVisible();
  }
  // What is folded away is looked at too, but for the figures of charts.
  await page.locator("main details:not(figure details)").evaluateAll((all) => all.forEach((one) => one.setAttribute("open", "")));
  expect.soft(await page.title(), url).not.toBe("");
  await expect.soft(page.getByRole("heading", { level: 1 }), url).toHaveCount(1);
  const found = await new AxeBuilder({ page }).analyze();
  const serious = found.violations
    .filter((v) => v.impact === "serious" || v.impact === "critical")
    .map((v) => `${url} ${v.id}: ${v.nodes.map((n) => n.target.join(" ")).join(", ")}`);
  expect.soft(serious).toEqual([]);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect.soft(overflow, `${url} is wider than the window`).toBeLessThanOrEqual(0);
  if (process.env.SCREENSHOTS) {
    const name = `${who && `-${who}`}${url.replace(/^https?:..[^/]+/, "").replace(/[^a-z0-9]+/gi, "-").slice(0, 80) || "-"}`;
    const { width } = page.viewportSize()!;
    const dark = await page.evaluate(() => matchMedia("(prefers-color-scheme: dark)").matches);
    await page.screenshot({ path: `${process.env.SCREENSHOTS}/${width}${dark ? "-dark" : ""}${name}.png`, fullPage: true });
  }
}

for (const colorScheme of ["light", "dark"] as const) {
  for (const width of [1280, 360]) {
    test(`every page, ${colorScheme}, ${width} pixels wide`, async ({ browser, nexus, studio }) => {
      test.setTimeout(300_000);
      const all = await addresses(nexus);
      const context = await browser.newContext({ colorScheme, viewport: { width, height: 800 } });
      const page = await context.newPage();
      const wrong = complaints(page);
      for (const path of all.visitor) await look(page, nexus.url + path);
      await nexus.signIn(page, "owner@nexus.example");
      const bought = await purchases(page, nexus);
      for (const path of [...all.owner, ...bought, ...(await webhooks(page, nexus)), ...(await keys(page, nexus)), ...(await connections(page, nexus))]) await look(page, nexus.url + path);
      // The browser reports pages with a 404 and a 400 as errors of its own.
      expect(wrong.filter((w) => !w.includes("/no-such-page") && !w.includes("redirect_uri=twice"))).toEqual([]);
      await context.close();
      for (const person of await people(browser, nexus, studio)) {
        const context = await browser.newContext({ colorScheme, viewport: { width, height: 800 }, storageState: person.session });
        const page = await context.newPage();
        const wrong = complaints(page);
        for (const path of person.sees) await look(page, nexus.url + path, person.name);
        expect(wrong).toEqual([]);
        await context.close();
      }
    });
  }
}
