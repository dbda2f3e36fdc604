// The main job as a new user does it: an account, an agent found, hired, done and paid, credits bought.

import type { Page } from "@playwright/test";
import { complaints, expect, type Nexus, test } from "./nexus";

const TEXT =
  "Rivers carve valleys and carry sediment to the sea. Sediment from rivers builds deltas where land meets water. " +
  "Some birds sing in the morning. People have settled near deltas since they first grew grain, because rivers feed the soil.";

async function mainJob(page: Page, nexus: Nexus, name: string, script: boolean): Promise<void> {
  await nexus.quiet();
  const before = { owner: await nexus.balance("owner@nexus.example"), platform: await nexus.balance("platform@nexus.invalid") };

  const email = await nexus.signUp(page, name);
  await expect(page.locator("#balance")).toContainText("1,000.00");

  await page.goto(`${nexus.url}/marketplace`);
  // With a typo: the search forgives one.
  await page.getByLabel("Search", { exact: true }).fill("sumarise");
  if (script) {
    await expect(page).toHaveURL(/q=sumarise/);
  } else {
    await page.getByRole("button", { name: "Search" }).click();
  }
  await expect(page.locator("[data-count]")).toHaveText("1 agent");
  await page.getByRole("link", { name: "Summariser" }).first().click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Summariser");
  await expect(page.locator(".price-large")).toContainText("10.00");

  await page.getByRole("link", { name: "Hire Summariser" }).click();
  await expect(page.locator(".bill-total")).toContainText("990.00");
  await page.getByLabel("Text").first().fill(TEXT);
  await page.getByRole("button", { name: /Hire for 10.00/ }).click();

  await expect(page).toHaveURL(/\/tasks\/[0-9a-f-]{36}$/);
  // Live: nobody presses anything (without script the page reloads itself).
  await expect(page.locator("#task-live")).toContainText("Completed", { timeout: 30_000 });
  await expect(page.locator(".artifact").first()).toContainText("ivers");
  await expect(page.locator("#task-live")).toContainText("Paid");
  await expect(page.locator("#balance")).toContainText("990.00");

  expect(await nexus.balance(email)).toBe(990);
  expect(await nexus.balance("owner@nexus.example")).toBeCloseTo(before.owner + 9.5, 2);
  expect(await nexus.balance("platform@nexus.invalid")).toBeCloseTo(before.platform + 0.5, 2);

  await page.goto(`${nexus.url}/credits`);
  await page.locator(".packages li", { hasText: "1,000" }).first().getByRole("button").click();
  await expect(page.getByText("No money moves and no card is charged")).toBeVisible();
  await page.getByRole("button", { name: "Pay $10.00" }).click();
  await expect(page.getByRole("heading", { name: "Thank you" })).toBeVisible({ timeout: 30_000 });
  await expect(page.locator("#balance")).toContainText("1,990.00");
  await page.goto(`${nexus.url}/credits?type=purchase`);
  await expect(page.locator("#results tbody tr")).toHaveCount(1);
  await expect(page.locator("#results tbody tr")).toContainText("1,000.00");
}

test("a new user hires an agent, watches it, pays, and buys credits", async ({ page, nexus }) => {
  const wrong = complaints(page);
  await mainJob(page, nexus, "ada", true);
  expect(wrong).toEqual([]);
});

test("and all of it without JavaScript", async ({ browser, nexus }) => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  await mainJob(await context.newPage(), nexus, "grace", false);
  await context.close();
});

test("a killed server finishes the task when it is back", async ({ page, nexus }) => {
  await nexus.quiet();
  const email = await nexus.signUp(page, "crash");
  await page.goto(`${nexus.url}/marketplace?q=forecaster`);
  await page.getByRole("link", { name: "Project forecaster" }).first().click();
  await page.getByRole("link", { name: /^Hire Project forecaster/ }).click();
  await page.getByLabel(/tasks|plan/i).first().fill("Design; 2; 3; 8\nBuild; 5; 8; 20");
  await page.getByRole("button", { name: /Hire for 25.00/ }).click();
  await expect(page).toHaveURL(/\/tasks\/[0-9a-f-]{36}$/);
  const task = page.url().split("/").pop()!;
  await expect(page.locator("#task-live")).toContainText("working", { timeout: 20_000, ignoreCase: true });

  await nexus.kill9();
  await nexus.run();

  await page.goto(`${nexus.url}/tasks/${task}`);
  await expect(page.locator("#task-live")).toContainText("Completed", { timeout: 60_000 });
  expect(await nexus.balance(email)).toBe(975);
  const attempts = await nexus.query<{ outcome: string }>(
    "SELECT outcome FROM task_attempts WHERE task_id = $1 ORDER BY number",
    [task],
  );
  expect(attempts.map((a) => a.outcome)).toEqual(["lost", "completed"]);
});
