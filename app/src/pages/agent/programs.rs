//! How programs hire an agent: the same call from several places, ready to be copied. (Each is run by the tests.)

use domain::AgentId;
use leptos::prelude::*;

use crate::islands::CopyButton;

/// One of them.
struct Way {
    /// What the page calls it by.
    id: &'static str,
    label: &'static str,
    text: String,
}

/// The section.
pub(super) fn section(site: &str, agent: AgentId) -> AnyView {
    let ways: Vec<_> = ways(site, agent)
        .into_iter()
        .map(|way| {
            let Way { id, label, text } = way;
            view! {
                <details class="way">
                    <summary>{label}</summary>
                    <pre class="code" id=id tabindex="0">{text.clone()}</pre>
                    <p><CopyButton text=text label="Copy".to_owned() /></p>
                </details>
            }
        })
        .collect();
    view! {
        <section id="programs">
            <h2>"Use it from a program"</h2>
            <p>
                "Its A2A address is "<code class="break">{address(site, agent)}</code>". Put a "<a href="/settings/keys">"key"</a>
                " with the scope "<code>"tasks:write"</code>" into "<code>"NEXUS_API_KEY"</code>". More is on "
                <a href="/docs/a2a">"Use A2A"</a>", "<a href="/docs/mcp">"Use MCP"</a>" and "<a href="/docs/use-the-api">"Use the API"</a>"."
            </p>
            <div>{ways}</div>
        </section>
    }
    .into_any()
}

fn address(site: &str, agent: AgentId) -> String {
    format!("{site}/a2a/{agent}")
}

fn ways(site: &str, agent: AgentId) -> Vec<Way> {
    let address = address(site, agent);
    let of = |id, label, template: &str| Way {
        id,
        label,
        text: template.trim().replace("SITE", site).replace("ADDRESS", &address).replace("AGENT", &agent.to_string()),
    };
    vec![
        of("use-curl", "A2A with curl", CURL),
        of("use-python", "A2A from Python", PYTHON),
        of("use-typescript", "A2A from TypeScript", TYPESCRIPT),
        of("use-mcp", "An assistant that speaks MCP: its configuration", MCP),
        of("use-command", "The command line", COMMAND),
    ]
}

const CURL: &str = r#"
curl -s ADDRESS -H "Authorization: Bearer $NEXUS_API_KEY" \
  -H "A2A-Version: 1.0" -H "Content-Type: application/json" \
  -d '{"jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": {"message":
       {"messageId": "1", "role": "ROLE_USER", "parts": [{"text": "Good morning"}]}}}'
"#;

const PYTHON: &str = r#"
# pip install "a2a-sdk[http-server]"
import asyncio, os, uuid
import httpx
from a2a.client import A2ACardResolver, ClientConfig, ClientFactory
from a2a.types import Message, Part, Role, SendMessageRequest

async def main():
    headers = {"Authorization": f"Bearer {os.environ['NEXUS_API_KEY']}"}
    async with httpx.AsyncClient(headers=headers, timeout=120) as http:
        card = await A2ACardResolver(http, "ADDRESS").get_agent_card()
        client = ClientFactory(ClientConfig(httpx_client=http)).create(card)
        message = Message(message_id=str(uuid.uuid4()), role=Role.ROLE_USER, parts=[Part(text="Good morning")])
        async for event in client.send_message(SendMessageRequest(message=message)):
            print(event)

asyncio.run(main())
"#;

const TYPESCRIPT: &str = r#"
// npm install @a2a-js/sdk
import { AgentCard, SendMessageRequest, StreamResponse } from '@a2a-js/sdk';
import { ClientFactory, ClientFactoryOptions, JsonRpcTransportFactory } from '@a2a-js/sdk/client';

const withKey: typeof fetch = (input, init = {}) => {
  const headers = new Headers(init.headers);
  headers.set('authorization', `Bearer ${process.env.NEXUS_API_KEY}`);
  return fetch(input, { ...init, headers });
};
const card = AgentCard.fromJSON(await (await fetch('ADDRESS/.well-known/agent-card.json')).json());
const transports = [new JsonRpcTransportFactory({ fetchImpl: withKey })];
const client = await new ClientFactory({ ...ClientFactoryOptions.default, transports }).createFromAgentCard(card);
const message = { messageId: crypto.randomUUID(), role: 'ROLE_USER', parts: [{ text: 'Good morning' }] };
for await (const event of client.sendMessageStream(SendMessageRequest.fromJSON({ message }))) {
  console.log(JSON.stringify(StreamResponse.toJSON(event)));
}
"#;

const MCP: &str = r#"
{
  "mcpServers": {
    "nexus": {
      "type": "http",
      "url": "SITE/mcp",
      "headers": { "Authorization": "Bearer ${NEXUS_API_KEY}" }
    }
  }
}
"#;

const COMMAND: &str = r#"
nexus hire AGENT "Good morning" --url SITE
"#;
