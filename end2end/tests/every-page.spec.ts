// Every page, light and dark, wide and on a phone: nothing in the console, no serious axe violation, nothing cut off.

import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { complaints, expect, type Nexus, test } from "./nexus";

const DOCS = ["", "/hire", "/list-an-agent", "/credits", "/trust", "/run", "/data-model"];

/** Addresses that exist once the demo has made its history; the owner sees the pages of both sides. */
async function addresses(nexus: Nexus): Promise<{ visitor: string[]; owner: string[] }> {
  await nexus.quiet();
  const [agent] = await nexus.query<{ id: string }>("SELECT id FROM agents WHERE name = 'Summariser'");
  const tasks = await nexus.query<{ id: string }>(
    "SELECT DISTINCT ON (assigned_agent_id) id FROM tasks WHERE status = 'completed' ORDER BY assigned_agent_id, created_at",
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

async function look(page: Page, url: string): Promise<void> {
  await page.goto(url);
  // The islands are awake once the wasm has run; what it complains about comes before that.
  await page.waitForLoadState("load");
  await page.waitForTimeout(100);
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
    const name = `${url.replace(/^https?:..[^/]+/, "").replace(/[^a-z0-9]+/gi, "-") || "-"}`;
    const { width } = page.viewportSize()!;
    const dark = await page.evaluate(() => matchMedia("(prefers-color-scheme: dark)").matches);
    await page.screenshot({ path: `${process.env.SCREENSHOTS}/${width}${dark ? "-dark" : ""}${name}.png`, fullPage: true });
  }
}

for (const colorScheme of ["light", "dark"] as const) {
  for (const width of [1280, 360]) {
    test(`every page, ${colorScheme}, ${width} pixels wide`, async ({ browser, nexus }) => {
      test.setTimeout(300_000);
      const all = await addresses(nexus);
      const context = await browser.newContext({ colorScheme, viewport: { width, height: 800 } });
      const page = await context.newPage();
      const wrong = complaints(page);
      for (const path of all.visitor) await look(page, nexus.url + path);
      await nexus.signIn(page, "owner@nexus.example");
      const bought = await purchases(page, nexus);
      for (const path of [...all.owner, ...bought]) await look(page, nexus.url + path);
      // The browser reports a 404 page as an error of its own.
      expect(wrong.filter((w) => !w.includes("/no-such-page"))).toEqual([]);
      await context.close();
    });
  }
}
