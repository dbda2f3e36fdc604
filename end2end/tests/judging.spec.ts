// After the result: it is accepted, rated, disputed; its provider answers, and somebody decides.

import { complaints, expect, test } from "./nexus";

test("a result is accepted, rated, and the provider answers the review", async ({ page, nexus, studio }) => {
  const wrong = [complaints(page), complaints(studio.owner)];
  await nexus.signUp(page, "reviewer");
  const task = await nexus.hireDone(page, studio.id, "paint the gate");

  await page.getByRole("button", { name: "Accept the result" }).click();
  await expect(page.locator("#task-live")).toContainText("Result accepted");
  await expect(page.getByRole("button", { name: "Accept the result" })).toHaveCount(0);
  await expect(page.getByText("Something is wrong with the result")).toHaveCount(0);

  await page.getByLabel("4 – Good").check();
  await page.getByLabel("In your words").fill("Even and quick.\n\nOne hinge was missed.");
  await page.getByRole("button", { name: "Rate it" }).click();
  await expect(page.getByText("Your review is on the agent's page.")).toBeVisible();
  await expect(page.locator("#task-live")).toContainText("Rated 4 of 5");
  await expect(page.getByRole("button", { name: "Rate it" })).toHaveCount(0);

  const { owner } = studio;
  await owner.goto(`${nexus.url}/marketplace/${studio.id}`);
  await owner.getByRole("link", { name: "Answer: review by reviewer" }).click();
  await owner.getByRole("textbox", { name: "Your answer" }).fill("The hinge is on us. Come again.");
  await owner.getByRole("button", { name: "Publish the answer" }).click();
  await expect(owner.getByText("Your answer stands under the review.")).toBeVisible();

  await page.goto(`${nexus.url}/marketplace/${studio.id}`);
  const review = page.locator(`#review-${task}`);
  await expect(review).toContainText("4 of 5 stars");
  await expect(review.getByText("One hinge was missed.", { exact: true })).toBeVisible();
  await expect(review.locator(".review-answer")).toContainText("The hinge is on us.");
  await expect(review.getByRole("link")).toHaveCount(0);
  expect(wrong).toEqual([[], []]);
});

test("a dispute ends with what one side proposes and the other accepts", async ({ page, nexus, studio }) => {
  const wrong = [complaints(page), complaints(studio.owner)];
  const email = await nexus.signUp(page, "half-pleased");
  const earned = await nexus.balance("painter@example.org");
  const task = await nexus.disputed(page, studio.id, "One side was left out.");
  expect(await nexus.balance("painter@example.org")).toBeCloseTo(earned, 2);

  const { owner } = studio;
  await owner.goto(`${nexus.url}/tasks/${task}`);
  const dispute = owner.locator("#dispute");
  await expect(dispute).toContainText("One side was left out.");
  // More than was paid cannot be proposed, and what was typed stays.
  await owner.getByLabel("Propose a refund").fill("10.01");
  await owner.getByRole("button", { name: "Propose it" }).click();
  await expect(owner.locator("#refund-error")).toBeVisible();
  await expect(owner.getByLabel("Propose a refund")).toHaveValue("10.01");
  await owner.getByLabel("Propose a refund").fill("4.00");
  await owner.getByRole("button", { name: "Propose it" }).click();
  await expect(dispute).toContainText("painter proposes that 4.00 credits of 10.00 credits go back.");
  await owner.getByLabel("Your statement").fill("The far side could not be reached.");
  await owner.getByRole("button", { name: "Add it" }).click();
  await expect(dispute.locator(".said-agent")).toContainText("could not be reached");

  await page.reload();
  await expect(page.locator("#dispute")).toContainText("could not be reached");
  await page.getByRole("button", { name: "Accept the proposal" }).click();
  await expect(page.getByText("Agreed. The dispute has ended.")).toBeVisible();
  await expect(page.locator("#dispute")).toContainText("Both sides agreed.");
  await expect(page.locator("#dispute").getByRole("button")).toHaveCount(0);
  expect(await nexus.balance(email)).toBe(994);
  // 95 % of the six that stay.
  expect(await nexus.balance("painter@example.org")).toBeCloseTo(earned + 5.7, 2);
  // The browser reports the refused proposal as an error of its own.
  expect(wrong.map((all) => all.filter((w) => !w.includes("400")))).toEqual([[], []]);
});

test("an operator decides a dispute that the sides leave open", async ({ page, browser, nexus, studio }) => {
  const email = await nexus.signUp(page, "displeased");
  const task = await nexus.disputed(page, studio.id, "It is the wrong fence.");

  const office = await browser.newPage();
  const wrong = complaints(office);
  const operator = await nexus.signUp(office, "operator");
  const refused = await office.goto(`${nexus.url}/admin`);
  expect(refused!.status()).toBe(403);
  expect((await nexus.command("user", "operator", "--email", operator)).output).toContain("decides disputes");

  await office.goto(`${nexus.url}/dashboard`);
  await office.locator(".account-menu > summary").click();
  await office.getByRole("link", { name: "Disputes to decide" }).click();
  const row = office.locator("tbody tr", { hasText: "displeased and painter" });
  await row.getByRole("link").click();
  await expect(office).toHaveURL(new RegExp(`/admin/disputes/${task}$`));
  await expect(office.locator("main")).toContainText("It is the wrong fence.");
  await expect(office.locator("main")).toContainText("paint the fence");
  await office.getByLabel("Refund to the requester").fill("7.50");
  await office.getByLabel("Why").fill("The order named no fence, but the photo did.");
  await office.getByRole("button", { name: "Decide" }).click();
  await expect(office.locator("main")).toContainText("7.50 credits of 10.00 credits go back to the requester.");
  await expect(office.getByRole("button", { name: "Decide" })).toHaveCount(0);
  await office.goto(`${nexus.url}/admin`);
  await expect(office.locator("main")).not.toContainText("displeased");

  await page.reload();
  await expect(page.locator("#dispute")).toContainText("An operator decided.");
  await expect(page.locator("#dispute")).toContainText("The order named no fence, but the photo did.");
  expect(await nexus.balance(email)).toBe(997.5);
  // The browser reports a page that is refused as an error of its own.
  expect(wrong.filter((w) => !w.includes("403"))).toEqual([]);
  await office.close();
});
