// The stand-in's pages: usable without JavaScript, plainly play money, and accessible in each state.

import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { complaints, expect, type Nexus, test } from "./nexus";

async function checkout(nexus: Nexus, page: Page): Promise<string> {
  const form = { package: "starter" };
  const headers = { origin: nexus.url };
  const begun = await page.request.post(`${nexus.url}/credits/buy`, { form, headers, maxRedirects: 0 });
  return begun.headers().location;
}

async function accessible(page: Page): Promise<void> {
  await expect(page.getByText("No money moves")).toBeVisible();
  const found = await new AxeBuilder({ page }).analyze();
  expect(found.violations.map((v) => `${page.url()} ${v.id}`)).toEqual([]);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(overflow).toBeLessThanOrEqual(0);
}

test("the payment page and the bank are accessible in every state", async ({ nexus, page }) => {
  const wrong = complaints(page);
  await nexus.signUp(page, "payer");
  await page.goto(await checkout(nexus, page));
  await accessible(page);
  await page.setViewportSize({ width: 360, height: 740 });
  await page.getByText("Try a failure").click();
  await accessible(page);
  await page.getByLabel("Card number").fill("4000 0000 0000 0002");
  await page.getByRole("button", { name: "Pay $10.00" }).click();
  await expect(page.getByRole("alert")).toHaveText("Your card was declined.");
  await accessible(page);
  await page.getByLabel("Card number").fill("4000 0025 0000 3155");
  await page.getByRole("button", { name: "Pay $10.00" }).click();
  await expect(page.getByRole("heading", { name: "Is this payment yours?" })).toBeVisible();
  await accessible(page);
  await page.getByRole("button", { name: "Refuse" }).click();
  await expect(page.getByRole("alert")).toContainText("did not confirm");
  // A declined card is a 402, and Chromium logs that.
  expect(wrong.filter((line) => !line.includes("402"))).toEqual([]);
});

test("paying works without JavaScript", async ({ nexus, browser }) => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  const email = await nexus.signUp(page, "plain");
  await page.goto(await checkout(nexus, page));
  await page.getByText("Try a failure").click();
  await page.getByLabel("The message that tells NEXUS of the payment").selectOption("twice");
  await page.getByLabel("Card number").fill("4000 0025 0000 3155");
  await page.getByRole("button", { name: "Pay $10.00" }).click();
  await page.getByRole("button", { name: "Approve" }).click();
  await page.waitForURL(/\/credits\/return\?purchase=/);
  await expect(async () => expect(await nexus.balance(email)).toBe(2000)).toPass({ timeout: 20_000 });
  await context.close();
});
