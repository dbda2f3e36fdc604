// A NEXUS of a test's own: the real program with its demo, on a free port, with its own PostgreSQL in a throw-away folder.

import { test as base, expect, type Page } from "@playwright/test";
import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";

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

  /** Waits until no task is open: the demo's own history is made by tasks too. */
  async quiet(): Promise<void> {
    await expect(async () => {
      const [row] = await this.query<{ open: string }>("SELECT count(*) AS open FROM tasks WHERE completed_at IS NULL");
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
}

/** A test with one running NEXUS for its whole file, which must add up at the end of each test. */
export const test = base.extend<{ adds_up: void }, { nexus: Nexus }>({
  nexus: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright wants a pattern here.
    async ({}, use) => {
      const nexus = await Nexus.start();
      await use(nexus);
      await nexus.stop();
    },
    { scope: "worker", timeout: 90_000 },
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
