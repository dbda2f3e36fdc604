// A program that is connected by OAuth: it registers itself, waits for the browser on a free port, and fetches its tokens.

import { createHash, randomBytes } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Nexus } from "./nexus";

export interface Tokens {
  access_token: string;
  refresh_token: string;
  scope: string;
}

export class Client {
  private readonly verifier = randomBytes(32).toString("base64url");
  /** The queries of the answers that came. */
  readonly answers: URLSearchParams[] = [];

  private constructor(
    private readonly nexus: Nexus,
    private readonly server: Server,
    readonly id: string,
  ) {}

  static async start(nexus: Nexus, name: string): Promise<Client> {
    const server = createServer();
    await new Promise<void>((up) => server.listen(0, "127.0.0.1", up));
    const answer = await fetch(`${nexus.url}/oauth/register`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      // Without the port: that is found out later (RFC 8252, section 7.3).
      body: JSON.stringify({ client_name: name, redirect_uris: ["http://127.0.0.1/cb"], token_endpoint_auth_method: "none" }),
    });
    const client = new Client(nexus, server, ((await answer.json()) as { client_id: string }).client_id);
    server.on("request", (request, response) => {
      const url = new URL(request.url!, client.redirect);
      if (url.pathname === "/cb") client.answers.push(url.searchParams);
      response.setHeader("content-type", "text/html");
      response.end("<!doctype html><title>Client</title><h1>You can go back to the program</h1>");
    });
    return client;
  }

  get redirect(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/cb`;
  }

  /** Where it sends a person; on the site, without its host. */
  ask(scope: string): string {
    const query = new URLSearchParams({
      response_type: "code",
      client_id: this.id,
      redirect_uri: this.redirect,
      scope,
      state: "s",
      code_challenge: createHash("sha256").update(this.verifier).digest("base64url"),
      code_challenge_method: "S256",
    });
    return `/oauth/authorize?${query}`;
  }

  /** Turns the code of the last answer into tokens. */
  async tokens(): Promise<Tokens> {
    const body = new URLSearchParams({
      grant_type: "authorization_code",
      client_id: this.id,
      code: this.answers.at(-1)!.get("code")!,
      redirect_uri: this.redirect,
      code_verifier: this.verifier,
    });
    const answer = await fetch(`${this.nexus.url}/oauth/token`, { method: "POST", body });
    if (!answer.ok) throw new Error(await answer.text());
    return (await answer.json()) as Tokens;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }
}
