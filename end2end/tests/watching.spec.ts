// An agent that goes away leaves the list, its owner reads why, and it comes back with its first answer.

import { complaints, expect, test } from "./nexus";

test("an agent that does not answer is taken off the list, and comes back", async ({ page, nexus, studio }) => {
  const wrong = [complaints(page), complaints(studio.owner)];
  const { agent, id, owner } = studio;
  const listed = async () => {
    await page.goto(`${nexus.url}/marketplace?q=paint+shop`);
    return page.getByRole("link", { name: agent.name }).count();
  };
  expect(await listed()).toBe(1);

  await agent.stop();
  await nexus.untilOffline(owner, id);
  await expect(owner.locator(".notice", { hasText: "Not listed." })).toContainText("One answered check brings it back.");
  expect(await listed()).toBe(0);
  await page.goto(`${nexus.url}/marketplace/${id}`);
  await expect(page.locator("aside")).toContainText("It is offline and takes no work now.");
  await expect(page.getByRole("link", { name: /^Hire/ })).toHaveCount(0);
  await expect(page.locator("#uptime")).toContainText("so far");

  await agent.listen();
  await expect(async () => {
    await owner.goto(`${nexus.url}/agents/${id}`);
    if ((await owner.locator(".notice", { hasText: "Not listed." }).count()) === 0) return;
    await owner.getByRole("button", { name: "Check now" }).click();
    await expect(owner.getByText(/It answered in \d+ ms/)).toBeVisible({ timeout: 500 });
    await expect(owner.locator(".notice", { hasText: "Not listed." })).toHaveCount(0);
  }).toPass({ timeout: 60_000, intervals: [2_000] });
  expect(await listed()).toBe(1);
  await page.goto(`${nexus.url}/marketplace/${id}`);
  await expect(page.getByRole("table", { name: "Last incidents" })).toContainText("Did not answer");
  await expect(page.getByRole("link", { name: `Hire ${agent.name}` })).toBeVisible();
  // The address refuses a check for a second too soon with a page of its own: 429.
  expect(wrong.map((all) => all.filter((w) => !w.includes("429")))).toEqual([[], []]);
});

test("the pictures of uptime and trust are there in words too", async ({ page, nexus }) => {
  await nexus.quiet();
  const [{ id }] = await nexus.query<{ id: string }>("SELECT id FROM agents WHERE name = 'Summariser'");
  await nexus.query(
    `INSERT INTO agent_uptime (agent_id, day, up_seconds, degraded_seconds, down_seconds)
     VALUES ($1, date '2000-01-01' + ((now() AT TIME ZONE 'UTC')::date - date '2000-01-01') - 2, 85200, 600, 600)
     ON CONFLICT DO NOTHING`,
    [id],
  );
  await page.goto(`${nexus.url}/marketplace/${id}`);
  const uptime = page.locator("#uptime");
  await expect(uptime.getByRole("img", { name: "Each of the last 30 days; the list below says the same in words" })).toBeVisible();
  await uptime.getByText("As a list").click();
  await expect(uptime.locator("figure li", { hasText: "99.30 %, degraded for 10 min 0 s, offline for 10 min 0 s" })).toBeVisible();

  const trust = page.locator("#trust");
  const [{ score }] = await nexus.query<{ score: string }>(
    "SELECT score::text FROM trust_history WHERE agent_id = $1 ORDER BY day DESC LIMIT 1",
    [id],
  );
  await expect(trust.getByRole("img", { name: new RegExp(`^Trust from .* to ${score} now; the table below has the figures$`) })).toBeVisible();
  await trust.getByText("As a table").click();
  await expect(trust.getByRole("table", { name: "Trust by day" }).locator("tbody tr").first()).toContainText(score);
});
