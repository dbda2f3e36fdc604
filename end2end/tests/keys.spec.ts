// API keys as their owner meets them: made by mouse and by keyboard, used, rotated, revoked; and the reference of the API.

import type { Page } from "@playwright/test";
import { complaints, expect, type Nexus, test } from "./nexus";

/** The secret that the page shows this once. */
async function secret(page: Page): Promise<string> {
  const shown = page.locator(".flash .secret code");
  await expect(shown).toHaveText(/^nxk_[A-Za-z0-9_-]{43}$/);
  return (await shown.textContent())!;
}

async function status(nexus: Nexus, key: string, path: string): Promise<number> {
  const answer = await fetch(`${nexus.url}/api/v1${path}`, { headers: { authorization: `Bearer ${key}` } });
  return answer.status;
}

/** Makes a key, uses it, gives it a new secret and revokes it; with the mouse. */
async function aKeysLife(page: Page, nexus: Nexus, name: string): Promise<void> {
  await nexus.signUp(page, name);
  await page.goto(`${nexus.url}/settings`);
  await page.getByRole("link", { name: "API keys" }).click();
  await expect(page.getByText("No key yet")).toBeVisible();

  // A mistake costs nothing that was typed.
  await page.getByLabel("Name", { exact: true }).fill("Nightly reports");
  await page.getByLabel("Only what is ticked").check();
  await page.getByRole("checkbox", { name: "tasks:read" }).check();
  await page.getByLabel("A day", { exact: false }).first().fill("a lot");
  await page.getByRole("button", { name: "Make the key" }).click();
  await expect(page.getByText("A day must be a number such as 10 or 10.50.")).toBeVisible();
  await expect(page.getByLabel("Name", { exact: true })).toHaveValue("Nightly reports");
  await expect(page.getByRole("checkbox", { name: "tasks:read" })).toBeChecked();
  await page.getByLabel("A day", { exact: false }).first().fill("25");
  await page.getByRole("button", { name: "Make the key" }).click();

  const first = await secret(page);
  await expect(page.locator(".key-first-call")).toContainText(`Authorization: Bearer ${first}`);
  expect(await status(nexus, first, "/tasks")).toBe(200);
  expect(await status(nexus, first, "/keys")).toBe(403);
  await page.reload();
  await expect(page.locator("body")).not.toContainText(first);

  await page.getByLabel("The present one ends").selectOption("In an hour");
  await page.getByRole("button", { name: "Make a new secret" }).click();
  const second = await secret(page);
  expect(await status(nexus, first, "/tasks")).toBe(200);
  expect(await status(nexus, second, "/tasks")).toBe(200);

  await page.goto(`${nexus.url}/settings/keys`);
  await expect(page.locator(".key")).toContainText("0.00 of 25.00 credits");
  await page.getByRole("link", { name: "Nightly reports" }).click();
  await page.getByText("I want to revoke it").click();
  await page.getByLabel("It does not come back").check();
  await page.getByRole("button", { name: "Revoke it" }).click();
  await expect(page.getByText("The key is revoked.")).toBeVisible();
  expect(await status(nexus, first, "/tasks")).toBe(401);
  expect(await status(nexus, second, "/tasks")).toBe(401);
}

test("a key is made, used, rotated and revoked", async ({ page, nexus }) => {
  const wrong = complaints(page);
  await aKeysLife(page, nexus, "rosa");
  // The browser reports the refused form's 400 as an error of its own.
  expect(wrong.filter((w) => !w.includes("400 (Bad Request)"))).toEqual([]);
});

test("and all of it without JavaScript", async ({ browser, nexus }) => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  await aKeysLife(await context.newPage(), nexus, "clara");
  await context.close();
});

/** Presses Tab until something with this name has the focus. */
async function tabTo(page: Page, name: RegExp): Promise<void> {
  for (let i = 0; i < 60; i += 1) {
    await page.keyboard.press("Tab");
    const label = await page.evaluate(() => {
      const at = document.activeElement as HTMLInputElement | null;
      return at?.labels?.[0]?.textContent ?? at?.textContent ?? "";
    });
    if (name.test(label.trim())) return;
  }
  throw new Error(`Tab does not reach ${name}`);
}

test("by keyboard alone, and copied", async ({ page, nexus, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await nexus.signUp(page, "tove");
  await page.goto(`${nexus.url}/settings/keys`);
  await tabTo(page, /^Name$/);
  await page.keyboard.type("From the keyboard");
  await tabTo(page, /^Only what is ticked$/);
  await tabTo(page, /^agents:read$/);
  await page.keyboard.press("Space");
  await tabTo(page, /^Expires$/);
  // What belongs to choices that were not made is not in the way.
  await expect(page.getByLabel("Last day")).toBeHidden();
  await expect(page.getByLabel("Agents, by id")).toBeHidden();
  await page.keyboard.type("Never");
  await tabTo(page, /^Make the key$/);
  await page.keyboard.press("Enter");
  const key = await secret(page);
  await tabTo(page, /^Copy$/);
  await page.keyboard.press("Enter");
  await expect(page.getByText("Copied.")).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(key);
  expect(await status(nexus, key, "/account")).toBe(200);
  await expect(page.locator("aside")).toContainText("never");
});

test("the reference shows every operation, and calls one", async ({ page, nexus }) => {
  const wrong = complaints(page);
  const elsewhere: string[] = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(nexus.url) && !request.url().startsWith("data:")) elsewhere.push(request.url());
  });
  const document = (await (await fetch(`${nexus.url}/api/openapi.json`)).json()) as { paths: Record<string, object> };
  const operations = Object.values(document.paths).flatMap((path) => Object.keys(path)).length;
  await nexus.signUp(page, "ilse");
  await page.goto(`${nexus.url}/settings/keys`);
  await page.getByLabel("Name", { exact: true }).fill("For the reference");
  await page.getByLabel("Everything, also what is added later").check();
  await page.getByRole("button", { name: "Make the key" }).click();
  const key = await secret(page);

  await page.goto(`${nexus.url}/docs/api`);
  await expect(page.locator("#api-viewer .opblock")).toHaveCount(operations);
  await expect(page.locator("#api-operations")).toHaveCount(0);
  await page.getByRole("button", { name: "Authorize" }).click();
  await page.locator("#auth-bearer-value").fill(key);
  const bearer = page.locator(".modal-ux .auth-container", { has: page.locator("#auth-bearer-value") });
  await bearer.getByRole("button", { name: "Apply credentials" }).click();
  await page.locator(".modal-ux").getByRole("button", { name: "Close" }).first().click();
  const account = page.locator("#operations-Account-getAccount");
  await account.locator(".opblock-summary-control").focus();
  await page.keyboard.press("Enter");
  await expect(account).toContainText("Needs: any key.");
  await account.getByRole("button", { name: "Try it out" }).click();
  await account.getByRole("button", { name: "Execute" }).click();
  await expect(account.locator(".live-responses-table")).toContainText("ilse@example.org");
  expect(elsewhere).toEqual([]);
  expect(wrong).toEqual([]);
});

test("without JavaScript the reference is a list", async ({ browser, nexus }) => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`${nexus.url}/docs/api`);
  const hire = page.locator("#api-operations li").filter({ hasText: "Hire an agent" });
  await expect(hire).toContainText("POST");
  await expect(hire).toContainText("/tasks");
  await expect(hire).toContainText("tasks:write");
  await page.getByRole("link", { name: "OpenAPI document" }).click();
  await expect(page.locator("body")).toContainText("3.1.0");
  await context.close();
});
