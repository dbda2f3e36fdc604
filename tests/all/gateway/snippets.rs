//! What an agent's page offers to be copied runs as it stands.

use std::path::Path;
use std::process::{Command, Stdio};

use sqlx::PgPool;

use crate::test_app::TestApp;

/// The text of an element that holds nothing but text.
fn snippet(page: &str, id: &str) -> String {
    let (_, rest) = page.split_once(&format!("id=\"{id}\"")).unwrap_or_else(|| panic!("the page has no {id}"));
    let text = rest.split_once('>').unwrap().1.split_once("</pre>").unwrap().0;
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#x27;", "'").replace("&amp;", "&")
}

fn run(program: &str, words: &[&str], folder: &str, input: &str, key: &str) -> String {
    use std::io::Write as _;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(program);
    command.args(words).current_dir(root.join(folder)).env("NEXUS_API_KEY", key).env("NO_PROXY", "*");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success(), "{program} {words:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

#[sqlx::test(migrations = "./migrations")]
async fn what_the_page_says_works(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (_, buyer) = app.person("buyer").await;
    let agent = app.agent(&owner, "echo", "1").await;
    let key = app.program(&buyer).await.secret;
    let page = app.browser().get(&format!("/marketplace/{agent}")).await.text().await.unwrap();
    let [curl, python, typescript, mcp] =
        ["use-curl", "use-python", "use-typescript", "use-mcp"].map(|id| snippet(&page, id));
    let site = format!("http://{}", app.addr);
    let config: serde_json::Value = serde_json::from_str(&mcp).unwrap();
    assert_eq!(config["mcpServers"]["nexus"]["url"], format!("{site}/mcp"));
    assert!(snippet(&page, "use-command").contains(&format!("nexus hire {agent}")));
    // Types are all that TypeScript adds here.
    let javascript = typescript.replace("const withKey: typeof fetch =", "const withKey =");
    let said = tokio::task::spawn_blocking(move || {
        let agents = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/interop-agents");
        let python_of = run(agents.to_str().unwrap(), &["python_1", "python"], ".", "", "");
        [
            run("sh", &["-c", &curl], ".", "", &key),
            run(python_of.trim(), &["-"], ".", &python, &key),
            run("node", &["--input-type=module", "-"], "tests/interop/js", &javascript, &key),
        ]
    });
    for said in said.await.unwrap() {
        assert!(said.contains("Good morning") && said.contains("TASK_STATE_COMPLETED"), "{said}");
    }
    app.finish().await;
}
