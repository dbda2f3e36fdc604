// A client is connected with a click: the person signs in, sees what it wants, gives less, and later cuts it off.

import type { Page } from "@playwright/test";
import { Client } from "./client";
import { complaints, expect, type Nexus, test } from "./nexus";

async function status(nexus: Nexus, token: string, path: string): Promise<number> {
  const answer = await fetch(`${nexus.url}/api/v1${path}`, { headers: { authorization: `Bearer ${token}` } });
  return answer.status;
}

/** The whole life of a connection, by mouse. */
async function aConnectionsLife(page: Page, nexus: Nexus, name: string): Promise<void> {
  const email = await nexus.signUp(page, name);
  await page.goto(`${nexus.url}/settings`);
  await page.getByRole("link", { name: "Connections" }).click();
  await expect(page.getByText("Nothing is connected")).toBeVisible();
  await expect(page.locator("main")).toContainText(`${nexus.url}/mcp`);
  await page.context().clearCookies();

  const client = await Client.start(nexus, "Desk helper");
  await page.goto(nexus.url + client.ask("agents:read tasks:write billing:read"));
  // Signing in leads back to the question.
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill("long enough");
  await page.locator("main").getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page.getByRole("heading", { name: "Connect Desk helper?" })).toBeVisible();
  await expect(page.locator("main")).toContainText("A program on this computer (127.0.0.1:");
  await expect(page.getByLabel("A month")).toHaveValue("100.00");

  // A mistake costs nothing that was chosen.
  await page.getByRole("checkbox", { name: "See balance, ledger and receipts" }).uncheck();
  await page.getByLabel("A day").fill("a lot");
  await page.getByRole("button", { name: "Connect" }).click();
  await expect(page.getByText("A day must be a number such as 10 or 10.50.")).toBeVisible();
  await expect(page.getByRole("checkbox", { name: "See balance, ledger and receipts" })).not.toBeChecked();
  await page.getByLabel("A day").fill("20");
  await page.getByLabel("How long").selectOption("For 7 days");
  await page.getByRole("button", { name: "Connect" }).click();
  // The browser follows the form's redirect to the client, which the page's policy has to allow.
  await expect(page.getByRole("heading", { name: "You can go back to the program" })).toBeVisible();
  expect(client.answers.at(-1)!.get("iss")).toBe(nexus.url);

  const tokens = await client.tokens();
  expect(tokens.scope).toBe("agents:read tasks:write");
  expect(await status(nexus, tokens.access_token, "/tasks")).toBe(200);
  expect(await status(nexus, tokens.access_token, "/billing/balance")).toBe(403);

  await page.goto(`${nexus.url}/settings/connections`);
  const row = page.locator(".key").filter({ hasText: "Desk helper" });
  await expect(row).toContainText("0.00 of 20.00 credits");
  await expect(row).toContainText("0.00 of 100.00 credits");
  await row.getByRole("button", { name: "Cut off" }).click();
  await expect(page.getByText("It is cut off.")).toBeVisible();
  expect(await status(nexus, tokens.access_token, "/tasks")).toBe(401);
  await page.getByText("Cut off in the last 30 days (1)").click();
  await expect(page.locator("main details")).toContainText("Desk helper");
  await client.stop();
}

test("a client is connected, and cut off", async ({ page, nexus }) => {
  const wrong = complaints(page);
  await aConnectionsLife(page, nexus, "iris");
  // The browser reports the refused form's 400 as an error of its own.
  expect(wrong.filter((w) => !w.includes("400 (Bad Request)") && !w.includes("favicon"))).toEqual([]);
});

test("and all of it without JavaScript", async ({ browser, nexus }) => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  await aConnectionsLife(await context.newPage(), nexus, "runa");
  await context.close();
});

test("a person says no, and the client hears it", async ({ page, nexus }) => {
  await nexus.signUp(page, "nora");
  const client = await Client.start(nexus, "Unwanted");
  await page.goto(nexus.url + client.ask("tasks:write"));
  await page.getByRole("button", { name: "Refuse" }).click();
  await expect(page.getByRole("heading", { name: "You can go back to the program" })).toBeVisible();
  expect(client.answers.at(-1)!.get("error")).toBe("access_denied");
  await page.goto(`${nexus.url}/settings/connections`);
  await expect(page.getByText("Nothing is connected")).toBeVisible();
  await client.stop();
});

test("an answer goes nowhere that the client did not register", async ({ page, nexus }) => {
  await nexus.signUp(page, "vera");
  const client = await Client.start(nexus, "Astray");
  const elsewhere = client.ask("tasks:write").replace("%2Fcb", "%2Fother");
  const answer = await page.goto(nexus.url + elsewhere);
  expect(answer!.status()).toBe(400);
  await expect(page.locator("main")).toContainText("It wants its answer at an address that it did not register.");
  await client.stop();
});
