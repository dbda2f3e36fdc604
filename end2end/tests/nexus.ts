// A NEXUS of a test's own: the real program with its demo, on a free port, with its own PostgreSQL in a throw-away folder.

import { test as base, expect, type Page } from "@playwright/test";
import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { Agent } from "./agent";

const BIN = process.env.NEXUS_BIN ?? "../target/debug/nexus";

export class Nexus {
  readonly url: string;
  password = "";
  private server?: ChildProcess;

  private constructor(
    private readonly dir: string,
    private readonly port: number,
    private readonly settings: Record<string, string>,
  ) {
    this.url = `http://127.0.0.1:${port}`;
  }

  /** `settings` are more environment variables for it. */
  static async start(settings: Record<string, string> = {}): Promise<Nexus> {
    const nexus = new Nexus(mkdtempSync(join(tmpdir(), "nexus-end2end-")), await freePort(), settings);
    await nexus.run();
    return nexus;
  }

  private env(): NodeJS.ProcessEnv {
    const own = { NEXUS_DATA_DIR: join(this.dir, "data"), NEXUS_ADDR: `127.0.0.1:${this.port}`, DATABASE_URL: undefined };
    return { ...process.env, ...own, ...this.settings };
  }

  /** Starts the program (again) on the same data, and returns once it says that it is up. */
  async run(): Promise<void> {
    const server = spawn(BIN, ["serve", "--demo"], { env: this.env(), stdio: ["ignore", "pipe", "pipe"] });
    const log = createWriteStream(join(this.dir, "log"), { flags: "a" });
    server.stderr!.pipe(log);
    this.server = server;
    let said = "";
    await new Promise<void>((up, down) => {
      const late = setTimeout(() => down(new Error(`not up after 60 s: ${said}${this.log()}`)), 60_000);
      server.once("exit", (code) => down(new Error(`ended with ${code}: ${said}${this.log()}`)));
      server.stdout!.on("data", (chunk: Buffer) => {
        said += chunk.toString();
        const password = /password\s+(\S+)/.exec(said);
        if (password && said.includes("Ctrl-C")) {
          this.password = password[1];
          clearTimeout(late);
          server.removeAllListeners("exit");
          up();
        }
      });
    });
  }

  /** What the program logged. */
  log(): string {
    return readFileSync(join(this.dir, "log"), "utf8");
  }

  /** As a crash would: the program has no say. */
  async kill9(): Promise<void> {
    const gone = new Promise((done) => this.server!.once("exit", done));
    this.server!.kill("SIGKILL");
    await gone;
  }

  async stop(): Promise<void> {
    const gone = new Promise((done) => this.server!.once("exit", done));
    this.server!.kill("SIGTERM");
    await gone;
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** Runs a command of the program on the same data; answers with its exit code and output. */
  async command(...args: string[]): Promise<{ code: number | null; output: string }> {
    const child = spawn(BIN, args, { env: this.env() });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
    const code = await new Promise<number | null>((done) => child.once("exit", done));
    return { code, output };
  }

  /** Asks the database, as its owner. */
  async query<Row extends pg.QueryResultRow>(sql: string, values: unknown[] = []): Promise<Row[]> {
    const url = new URL(readFileSync(join(this.dir, "data", "database-url"), "utf8").trim());
    const client = new pg.Client({
      host: url.searchParams.get("host")!,
      port: Number(url.port),
      user: url.username,
      database: url.pathname.slice(1),
    });
    await client.connect();
    try {
      return (await client.query<Row>(sql, values)).rows;
    } finally {
      await client.end();
    }
  }

  /** What an account has; the platform's address is `platform@nexus.invalid`. */
  async balance(email: string): Promise<number> {
    const sql = "SELECT balance FROM credit_balances b JOIN auth.users u ON u.id = b.user_id WHERE u.email = $1";
    const [row] = await this.query<{ balance: string }>(sql, [email]);
    return Number(row.balance);
  }

  /** Waits until no task is worked on: the demo's own history is made by tasks too. */
  async quiet(): Promise<void> {
    await expect(async () => {
      const [row] = await this.query<{ open: string }>(
        "SELECT count(*) AS open FROM tasks WHERE completed_at IS NULL AND waiting_since IS NULL",
      );
      const [any] = await this.query<{ n: string }>("SELECT count(*) AS n FROM tasks");
      expect([row.open, Number(any.n) > 0]).toEqual(["0", true]);
    }).toPass({ timeout: 90_000 });
  }

  async expectAuditClean(): Promise<void> {
    const audit = await this.command("audit");
    expect(audit.output).toContain("every rule holds");
    expect(audit.code).toBe(0);
  }

  // What people do -------------------------------------------------------------------------------------------------

  async signUp(page: Page, name: string): Promise<string> {
    const email = `${name}@example.org`;
    await page.goto(`${this.url}/sign-up`);
    await page.getByLabel("E-mail").fill(email);
    await page.getByLabel("Name").fill(name);
    await page.getByLabel("Password").fill("long enough");
    await page.locator("main").getByRole("button").click();
    await expect(page.locator("#balance")).toBeVisible();
    return email;
  }

  async signIn(page: Page, email: string): Promise<void> {
    await page.goto(`${this.url}/sign-in`);
    await page.getByLabel("E-mail").fill(email);
    await page.getByLabel("Password").fill(this.password);
    await page.locator("main").getByRole("button", { name: "Sign in", exact: true }).click();
    await expect(page.locator("#balance")).toBeVisible();
  }

  /** Registers an agent from its card, at the card's price; answers with its id. */
  async register(page: Page, agent: Agent): Promise<string> {
    await page.goto(`${this.url}/agents/register`);
    await page.getByLabel("Endpoint or card address").fill(agent.url);
    await page.getByRole("button", { name: "Fetch the card" }).click();
    await expect(page.getByLabel("Name").first()).toHaveValue(agent.name);
    await page.getByRole("button", { name: "Register" }).click();
    await expect(page.getByText("Keep this signing secret")).toBeVisible();
    return page.url().split("/").pop()!;
  }

  /** The same, with a test call, and puts it online. */
  async list(page: Page, agent: Agent): Promise<string> {
    const id = await this.register(page, agent);
    await page.getByRole("button", { name: "Make the call" }).click();
    await expect(page.getByText("The agent answered in")).toBeVisible();
    await page.getByRole("button", { name: "Put online" }).click();
    await expect(page.getByText("people can hire it now")).toBeVisible();
    return id;
  }

  /** Has an agent checked that has stopped until it is off the list: three times, at most every two seconds. */
  async untilOffline(owner: Page, agent: string): Promise<void> {
    await expect(async () => {
      await owner.goto(`${this.url}/agents/${agent}`);
      await owner.getByRole("button", { name: "Check now" }).click();
      await expect(owner.locator(".notice", { hasText: "Not listed." })).toBeVisible({ timeout: 500 });
    }).toPass({ timeout: 60_000, intervals: [1_600] });
  }

  /** Hires an agent that takes plain messages; the page is then the task's. Answers with its id. */
  async hire(page: Page, agent: string, message: string): Promise<string> {
    await page.goto(`${this.url}/marketplace/${agent}/hire`);
    await page.getByLabel("Your message").fill(message);
    await page.getByRole("button", { name: /^Hire for/ }).click();
    await expect(page).toHaveURL(/\/tasks\/[0-9a-f-]{36}$/);
    return page.url().split("/").pop()!;
  }

  /** The same, and waits for the result. */
  async hireDone(page: Page, agent: string, message: string): Promise<string> {
    const task = await this.hire(page, agent, message);
    await expect(page.locator("#task-live")).toContainText("Paid", { timeout: 30_000 });
    return task;
  }

  /** The same, and disputes the result. */
  async disputed(page: Page, agent: string, why: string): Promise<string> {
    const task = await this.hireDone(page, agent, "paint the fence");
    await page.getByText("Something is wrong with the result").click();
    await page.getByLabel("What is wrong").fill(why);
    await page.getByRole("button", { name: "Reject and dispute" }).click();
    await expect(page.getByText("What you paid is in escrow until it is decided.")).toBeVisible();
    return task;
  }
}

/** An agent that a test has in its hands, and the page of its owner. */
export interface Studio {
  agent: Agent;
  id: string;
  owner: Page;
}

/** A test with one running NEXUS for its whole file, which must add up at the end of each test. */
export const test = base.extend<{ adds_up: void }, { nexus: Nexus; studio: Studio }>({
  nexus: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright wants a pattern here.
    async ({}, use) => {
      const nexus = await Nexus.start();
      await use(nexus);
      await nexus.stop();
    },
    { scope: "worker", timeout: 90_000 },
  ],
  studio: [
    async ({ browser, nexus }, use) => {
      const agent = await Agent.start("Paint shop");
      const owner = await browser.newPage();
      await nexus.signUp(owner, "painter");
      await use({ agent, id: await nexus.list(owner, agent), owner });
      await owner.close();
      await agent.stop();
    },
    { scope: "worker", timeout: 60_000 },
  ],
  adds_up: [
    async ({ nexus }, use) => {
      await use();
      await nexus.expectAuditClean();
    },
    { auto: true },
  ],
});

/** Collects what the browser complains about: console errors, exceptions, failed requests. */
export function complaints(page: Page): string[] {
  const all: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") all.push(`${page.url()} ${message.text()}`);
  });
  page.on("pageerror", (error) => all.push(`${page.url()} ${error.message}`));
  return all;
}

export { expect };

async function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => done(port));
    });
  });
}
