// What is said while a task runs: a question and its answer, a result that grows, calls that come to nothing.

import type { Page } from "@playwright/test";
import { complaints, expect, type Nexus, type Studio, test } from "./nexus";

async function answered(page: Page, nexus: Nexus, studio: Studio, name: string): Promise<void> {
  const email = await nexus.signUp(page, name);
  await nexus.hire(page, studio.id, "ask me before you paint");
  const task = page.locator("#task-live");
  await expect(task.getByRole("heading", { name: "Your answer" })).toBeVisible({ timeout: 30_000 });
  await expect(task).toContainText("Asks you");
  await expect(task.locator(".conversation")).toContainText("Which colour should it be?");

  // Whoever is elsewhere is told on the dashboard, and comes from there.
  const here = page.url();
  await page.goto(`${nexus.url}/dashboard`);
  const first = page.locator(".needs li").first();
  await expect(first).toContainText("waits for your answer");
  await first.getByRole("link").click();
  await expect(page).toHaveURL(here);

  // An empty answer is refused, and the page keeps saying so.
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await expect(page.getByRole("alert")).toBeVisible();
  await page.waitForLoadState("networkidle");
  await expect(page.getByRole("alert")).toBeVisible();

  await page.getByLabel("Message").fill("midnight blue");
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await expect(task.locator(".artifact")).toContainText("Painted in midnight blue.", { timeout: 30_000 });
  await expect(task.locator(".conversation")).toContainText("midnight blue");
  await expect(task).toContainText("Paid");
  expect(await nexus.balance(email)).toBe(990);
}

test("what an agent asks is answered on the task's page", async ({ page, nexus, studio }) => {
  const wrong = complaints(page);
  await answered(page, nexus, studio, "asked");
  // The browser reports the refused answer as an error of its own.
  expect(wrong.filter((w) => !w.includes("400"))).toEqual([]);
});

test("and without JavaScript", async ({ browser, nexus, studio }) => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  await answered(await context.newPage(), nexus, studio, "asked-plainly");
  await context.close();
});

test("a streamed result is read before its end, without a reload", async ({ page, nexus, studio }) => {
  const wrong = complaints(page);
  await nexus.signUp(page, "reader");
  await nexus.hire(page, studio.id, "stream a poem");
  await page.waitForLoadState("load");
  let loads = 0;
  page.on("load", () => loads++);
  let streams = 0;
  page.on("request", (request) => {
    if (request.url().includes("/live")) streams++;
  });
  const task = page.locator("#task-live");
  await expect(task.getByRole("heading", { name: "Result so far" })).toBeVisible({ timeout: 30_000 });
  await expect(task.locator(".artifact")).toContainText("Rivers carve the valleys.");
  await expect(task.locator(".artifact")).not.toContainText("Deltas");
  await expect(task).toContainText("Writing the first verse");

  studio.agent.goOn();
  await expect(task.locator(".artifact")).toContainText("Rivers carve the valleys. Deltas grow where they end.");
  await expect(task.getByRole("heading", { name: "Result", exact: true })).toBeVisible();
  await expect(page.locator("#balance")).not.toContainText("held");
  // The stream has been closed: the browser does not come back for more, as it would after a second.
  const before = streams;
  await page.waitForTimeout(1_500);
  expect([loads, streams - before]).toEqual([0, 0]);
  expect(wrong).toEqual([]);
});

test("an agent that fails is paid nothing, and the task is sent again", async ({ page, nexus, studio }) => {
  const wrong = complaints(page);
  const email = await nexus.signUp(page, "printer");
  studio.agent.broken = true;
  await nexus.hire(page, studio.id, "print the map");
  const task = page.locator("#task-live");
  await expect(task).toContainText("It is tried again.", { timeout: 30_000 });
  await expect(task).toContainText("The printer is out of paper.", { timeout: 30_000 });
  const attempts = page.getByRole("table", { name: "Calls of the agent, newest first" });
  await expect(attempts.locator("tbody tr")).toHaveCount(2);
  await expect(attempts.locator("tbody tr").first()).toContainText("Failed");
  await expect(attempts.locator("tbody tr").last()).toContainText("To be tried again");
  await expect(attempts.locator("tbody tr").last()).toContainText("503");
  await expect(page.locator("#balance")).toContainText("1,000.00");

  studio.agent.broken = false;
  await page.getByRole("button", { name: "Send it again" }).click();
  await expect(page.getByText("Sent again. The agent is being called.")).toBeVisible();
  await expect(task.locator(".artifact")).toContainText("print the map", { timeout: 30_000 });
  await expect(task.getByRole("link", { name: "an earlier task" })).toBeVisible();
  await expect(page.locator("#balance")).toContainText("990.00");
  expect(await nexus.balance(email)).toBe(990);
  expect(wrong).toEqual([]);
});
