//! Mail, over SMTP to a server of the test's own.

use std::sync::{Arc, Mutex};

use domain::accounts;
use domain::{Actor, Db};
use sqlx::PgPool;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::provider::until;
use crate::test_app::TestApp;

/// Just enough of RFC 5321. Refuses the first message that it is given.
#[derive(Clone, Default)]
struct Postbox {
    taken: Arc<Mutex<Vec<String>>>,
    refused: Arc<Mutex<u32>>,
}

impl Postbox {
    async fn open(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let postbox = self.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(postbox.clone().talk(stream));
            }
        });
        url
    }

    async fn talk(self, stream: TcpStream) {
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read).lines();
        write.write_all(b"220 test ESMTP\r\n").await.unwrap();
        let (mut data, mut message) = (false, String::new());
        while let Ok(Some(line)) = lines.next_line().await {
            let answer: &[u8] = if data {
                if line != "." {
                    message.push_str(line.strip_prefix("..").map_or(line.as_str(), |_| &line[1..]));
                    message.push('\n');
                    continue;
                }
                data = false;
                let first = std::mem::replace(&mut *self.refused.lock().unwrap(), 1) == 0;
                if first {
                    message.clear();
                    b"451 later\r\n"
                } else {
                    self.taken.lock().unwrap().push(std::mem::take(&mut message));
                    b"250 taken\r\n"
                }
            } else {
                match line.split(' ').next().unwrap_or_default().to_ascii_uppercase().as_str() {
                    "EHLO" | "HELO" => b"250 test\r\n",
                    "DATA" => {
                        data = true;
                        b"354 go on\r\n"
                    }
                    "QUIT" => b"221 bye\r\n",
                    _ => b"250 ok\r\n",
                }
            };
            if write.write_all(answer).await.is_err() {
                return;
            }
        }
    }
}

async fn queue(db: &Db, user: &Actor) {
    let Actor::Session(user) = user else { panic!("a session") };
    let mut tx = db.pool().begin().await.unwrap();
    accounts::queue_mail(&mut tx, *user, "test-1", "Überzogen", "Your card was declined.\n.\nTry another.")
        .await
        .unwrap();
    accounts::queue_mail(&mut tx, *user, "test-1", "Again", "The same is told once.").await.unwrap();
    tx.commit().await.unwrap();
}

async fn row(db: &Db) -> (bool, i32) {
    sqlx::query_as("SELECT sent_at IS NOT NULL, attempts FROM mails").fetch_one(db.pool()).await.unwrap()
}

#[sqlx::test(migrations = "./migrations")]
async fn a_mail_is_sent_again_until_it_is_taken_and_then_no_more(pool: PgPool) {
    let postbox = Postbox::default();
    let smtp = postbox.open().await;
    let settings = ["--smtp-url", &smtp, "--mail-from", "NEXUS <hello@nexus.example>"];
    let app = TestApp::start_with(pool, &settings).await;
    let (_, me) = app.person("buyer").await;
    queue(&app.db, &me).await;
    until("it was tried", || async { row(&app.db).await.1 == 1 }).await;
    until("the first try was refused", || async { *postbox.refused.lock().unwrap() == 1 }).await;
    sqlx::query("UPDATE mails SET next_at = now()").execute(app.db.pool()).await.unwrap();
    until("it is sent", || async { row(&app.db).await.0 }).await;
    sqlx::query("UPDATE mails SET next_at = now()").execute(app.db.pool()).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(6)).await;
    let taken = postbox.taken.lock().unwrap().clone();
    assert_eq!(taken.len(), 1, "{taken:?}");
    for part in [
        "To: buyer@example.org",
        "From: \"NEXUS\" <hello@nexus.example>",
        "Hello buyer,",
        "Your card was declined.\n.\n",
    ] {
        assert!(
            taken[0].contains(part) || taken[0].replace('"', "").contains(&part.replace('"', "")),
            "{part} in {}",
            taken[0]
        );
    }
    assert!(taken[0].contains(&format!("http://{}", app.addr)), "it says where it comes from: {}", taken[0]);
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn without_a_mail_server_mail_waits(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, me) = app.person("buyer").await;
    queue(&app.db, &me).await;
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert_eq!(row(&app.db).await, (false, 0));
    app.finish().await;
}
