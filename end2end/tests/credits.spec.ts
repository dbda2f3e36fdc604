// Money as a buyer meets it: bought with every kind of card, given back, limited, shown day by day.

import type { Page } from "@playwright/test";
import { complaints, expect, type Nexus, test } from "./nexus";

const GOOD = "4242 4242 4242 4242";
const DECLINED = "4000 0000 0000 0002";
const ASKS_BANK = "4000 0025 0000 3155";

async function beginAmount(page: Page, nexus: Nexus, dollars: string): Promise<void> {
  await page.goto(`${nexus.url}/credits`);
  await page.getByLabel("Amount in US dollars").fill(dollars);
  await page.getByRole("button", { name: "Buy for this amount" }).click();
}

async function pay(page: Page, card: string): Promise<void> {
  await page.getByLabel("Card number").fill(card);
  await page.getByRole("button", { name: /^Pay / }).click();
}

async function thanked(page: Page): Promise<void> {
  await expect(page.getByRole("heading", { name: "Thank you" })).toBeVisible({ timeout: 30_000 });
}

/** Any amount, a receipt made out to somebody, and the money back. */
async function buyAndGiveBack(page: Page, nexus: Nexus, name: string): Promise<void> {
  const email = await nexus.signUp(page, name);
  await page.goto(`${nexus.url}/credits/receipts`);
  await page.getByLabel("Name or company").fill("Mill Lane Ltd");
  await page.getByLabel("Tax id").fill("GB 123");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("status").filter({ hasText: "Saved" })).toBeVisible();

  await beginAmount(page, nexus, "4.99");
  await expect(page.getByText("must be from $5.00 to $10,000.00")).toBeVisible();
  await expect(page.getByLabel("Amount in US dollars")).toHaveValue("4.99");

  await beginAmount(page, nexus, "25");
  await pay(page, GOOD);
  await thanked(page);
  await expect(page.locator("#balance")).toContainText("4,000.00");

  await page.getByRole("link", { name: "Receipt", exact: true }).click();
  await expect(page.locator(".receipt")).toContainText("Mill Lane Ltd");
  await expect(page.locator(".receipt")).toContainText("GB 123");
  await expect(page.locator(".receipt")).toContainText("$25.00 USD");
  await expect(page.locator(".receipt")).toContainText("SANDBOX");
  await expect(page.locator("#refund")).toContainText("3,000.00 credits");

  await page.getByRole("button", { name: "Refund $25.00" }).click();
  await expect(page.getByText("$25.00 go back to your card")).toBeVisible();
  await expect(page.locator(".receipt")).toContainText("Credits taken back");
  await expect(page.locator("#refund")).toHaveCount(0);
  await expect(page.locator("#balance")).toContainText("1,000.00");
  expect(await nexus.balance(email)).toBe(1000);
  await page.goto(`${nexus.url}/credits?type=refund`);
  await expect(page.locator("#results tbody tr")).toHaveCount(1);
  await expect(page.locator("#results tbody tr")).toContainText("3,000.00");
}

test("any amount is bought, and given back on its receipt", async ({ page, nexus }) => {
  const wrong = complaints(page);
  await buyAndGiveBack(page, nexus, "hedy");
  // The browser reports the refused form's 400 as an error of its own.
  expect(wrong.filter((w) => !w.includes("400 (Bad Request)"))).toEqual([]);
});

test("and all of it without JavaScript", async ({ browser, nexus }) => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  await buyAndGiveBack(await context.newPage(), nexus, "emmy");
  await context.close();
});

test("a declined card buys nothing, and the next one does", async ({ page, nexus }) => {
  const email = await nexus.signUp(page, "lise");
  await page.goto(`${nexus.url}/credits`);
  await page.getByRole("button", { name: "Buy Pro for $40.00" }).click();
  await pay(page, DECLINED);
  await expect(page.getByRole("alert")).toContainText("declined");
  expect(await nexus.balance(email)).toBe(1000);
  await pay(page, GOOD);
  await thanked(page);
  expect(await nexus.balance(email)).toBe(6000);
});

test("who leaves the payment page is told that nothing was charged", async ({ page, nexus }) => {
  const email = await nexus.signUp(page, "maria");
  await page.goto(`${nexus.url}/credits`);
  await page.getByRole("button", { name: "Buy Starter for $10.00" }).click();
  await page.getByRole("link", { name: "Cancel" }).click();
  await expect(page.getByRole("heading", { name: "Not bought" })).toBeVisible();
  await expect(page.getByText("nothing was charged")).toBeVisible();
  expect(await nexus.balance(email)).toBe(1000);
});

test("the bank is asked with 3-D Secure: refused, then approved", async ({ page, nexus }) => {
  const email = await nexus.signUp(page, "rosalind");
  await beginAmount(page, nexus, "10");
  await pay(page, ASKS_BANK);
  await expect(page).toHaveURL(/\/sandbox\/bank\//);
  await page.getByRole("button", { name: "Refuse" }).click();
  await expect(page.getByLabel("Card number")).toBeVisible();
  expect(await nexus.balance(email)).toBe(1000);
  await pay(page, ASKS_BANK);
  await page.getByRole("button", { name: "Approve" }).click();
  await thanked(page);
  expect(await nexus.balance(email)).toBe(2000);
});

test("a kept card tops the balance up, and is forgotten again", async ({ page, nexus }) => {
  const email = await nexus.signUp(page, "ida");
  await page.goto(`${nexus.url}/credits/topup`);
  await expect(page.getByText("No card is saved")).toBeVisible();
  await page.goto(`${nexus.url}/credits`);
  await page.getByLabel("Keep this card for automatic top-up").first().check();
  await page.getByRole("button", { name: "Buy Starter for $10.00" }).click();
  await pay(page, GOOD);
  await thanked(page);
  await expect(async () => {
    await page.goto(`${nexus.url}/credits/topup`);
    await expect(page.locator("#card")).toContainText("Visa ···· 4242", { timeout: 1_000 });
  }).toPass({ timeout: 30_000 });

  await page.getByLabel("When the balance falls below").fill("2500");
  await page.getByLabel("Buy for").fill("10");
  await page.getByLabel("At most a month").fill("10");
  await page.getByRole("button", { name: "Turn on" }).click();
  await expect(page.locator("#topup")).toContainText("Below 2,500.00 credits, $10.00 are charged");
  await expect(async () => expect(await nexus.balance(email)).toBe(3000)).toPass({ timeout: 60_000 });
  await page.goto(`${nexus.url}/credits/receipts`);
  await expect(page.getByText("Automatic top-up, 1,000.00 credits")).toBeVisible();

  await page.goto(`${nexus.url}/credits/topup`);
  await page.getByRole("button", { name: "Forget this card" }).click();
  await expect(page.getByText("No card is saved")).toBeVisible();
  await expect(page.locator("#topup .badge")).toHaveText("Off");
});

test("a spending limit stops the task that would exceed it", async ({ page, nexus }) => {
  await nexus.quiet();
  const email = await nexus.signUp(page, "katherine");
  await page.goto(`${nexus.url}/marketplace?q=summariser`);
  await page.getByRole("link", { name: "Summariser" }).first().click();
  await page.getByRole("link", { name: "Hire Summariser" }).click();
  const hire = page.url();
  // Set in another tab, after the form was opened.
  const other = await page.context().newPage();
  await other.goto(`${nexus.url}/credits/topup`);
  await other.getByLabel("A day").fill("9.99");
  await other.getByRole("button", { name: "Save limits" }).click();
  await expect(other.locator("#limits")).toContainText("of 9.99 credits");

  await page.getByLabel("Text").first().fill("Rivers carve valleys. Some birds sing.");
  await page.getByRole("button", { name: /Hire for 10.00/ }).click();
  await expect(page.getByRole("alert")).toContainText("Your limit is 9.99 credits a day");
  await expect(page.getByLabel("Text").first()).toHaveValue(/Rivers carve/);
  expect(await nexus.balance(email)).toBe(1000);
  await page.getByRole("link", { name: "Change your limits" }).click();
  await page.getByLabel("A day").fill("");
  await page.getByRole("button", { name: "Save limits" }).click();
  await page.goto(hire);
  await page.getByLabel("Text").first().fill("Rivers carve valleys. Some birds sing.");
  await page.getByRole("button", { name: /Hire for 10.00/ }).click();
  await expect(page.locator("#task-live")).toContainText("Completed", { timeout: 30_000 });

  await page.goto(`${nexus.url}/credits/usage?days=7`);
  await expect(page.locator(".tiles")).toContainText("10.00");
  await expect(page.locator(".chart-plot g")).toHaveCount(7);
  await page.getByText("The same as a table").click();
  await expect(page.locator(".figures-table tbody tr")).toHaveCount(7);
  await expect(page.locator(".figures-table tbody tr").first()).toContainText("10.00");
});

test("a receipt is printed alone, black on white", async ({ page, nexus }) => {
  await nexus.signUp(page, "grete");
  await beginAmount(page, nexus, "5");
  await pay(page, GOOD);
  await thanked(page);
  await page.getByRole("link", { name: "Receipt", exact: true }).click();
  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  await expect(page.locator(".receipt")).toBeVisible();
  for (const gone of [".site-header", ".site-footer", ".crumbs", "#refund", "form"]) {
    for (const one of await page.locator(gone).all()) await expect(one).toBeHidden();
  }
  const colours = await page.evaluate(() => {
    const style = getComputedStyle(document.querySelector(".receipt")!);
    return [style.color, style.backgroundColor];
  });
  expect(colours).toEqual(["rgb(0, 0, 0)", "rgb(255, 255, 255)"]);
  if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/print-receipt.png`, fullPage: true });
});
