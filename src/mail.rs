//! Mail to account holders: plain text over SMTP, sent at least once. What is told is written elsewhere, as rows
//! ([`domain::accounts::queue_mail`]); without a mail server they wait.

use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::Db;
use domain::accounts::{self, Mail};
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use url::{Host, Url};

use crate::cli::with_source;

type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// Sends mail; cheap to clone.
#[derive(Clone, Debug)]
pub struct Mailer {
    transport: Transport,
    from: Mailbox,
    public_url: Url,
}

/// Where mail is handed in. Its `Debug` says nothing: it may hold a password.
#[derive(Clone)]
pub struct SmtpUrl(String);

impl std::fmt::Debug for SmtpUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SmtpUrl(redacted)")
    }
}

impl std::str::FromStr for SmtpUrl {
    type Err = String;

    /// `smtps://` encrypts from the first byte. `smtp://` encrypts where the server offers it (STARTTLS), and insists on
    /// it before a password goes to another machine; `?tls=required`, `opportunistic` or `none` says otherwise.
    fn from_str(text: &str) -> Result<SmtpUrl, String> {
        let mut url = Url::parse(text).map_err(|e| format!("it is not a URL: {e}"))?;
        if !matches!(url.scheme(), "smtp" | "smtps") || url.host_str().is_none_or(str::is_empty) {
            return Err("it must look like smtp://user:password@host:587 or smtps://user:password@host".into());
        }
        let tls = url.query_pairs().find(|(name, _)| name == "tls").map(|(_, value)| value.into_owned());
        let mode = match (url.scheme(), tls.as_deref()) {
            ("smtps", None) | ("smtp", Some("none")) => None,
            ("smtp", Some(mode @ ("required" | "opportunistic"))) => Some(mode.to_owned()),
            ("smtp", None) if url.username().is_empty() || is_loopback(&url) => Some("opportunistic".to_owned()),
            ("smtp", None) => Some("required".to_owned()),
            _ => return Err("its tls must be required, opportunistic or none, and belongs to smtp://".into()),
        };
        // The port that goes with the scheme stays when the mode is written out.
        if url.scheme() == "smtp" && url.port().is_none() && mode.as_deref() != Some("required") {
            let _ = url.set_port(Some(25));
        }
        url.set_query(mode.map(|mode| format!("tls={mode}")).as_deref());
        Transport::from_url(url.as_str()).map_err(|e| format!("it cannot be used: {e}"))?;
        Ok(SmtpUrl(url.into()))
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        // Schemes that the URL standard does not know keep numbers as names.
        Some(Host::Domain(name)) => {
            name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
        }
        None => false,
    }
}

impl Mailer {
    /// Mail from `from` by way of `smtp`; nothing is connected yet.
    ///
    /// # Errors
    /// One sentence.
    pub fn new(smtp: &SmtpUrl, from: &Mailbox, public_url: &Url) -> Result<Mailer, String> {
        let transport = Transport::from_url(&smtp.0)
            .map_err(|e| format!("SMTP_URL cannot be used: {e}"))?
            .timeout(Some(Duration::from_secs(30)))
            .build();
        Ok(Mailer { transport, from: from.clone(), public_url: public_url.clone() })
    }

    /// Sends what is due. What is not taken is due again later.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn round(&self, db: &Db, now: DateTime<Utc>) -> domain::Result<()> {
        for mail in accounts::due_mails(db, now).await? {
            match self.send(&mail).await {
                Ok(()) => {
                    if let Err(error) = accounts::mail_sent(db, mail.id, now).await {
                        tracing::error!(error = %with_source(&error), "a sent mail could not be noted; it is sent again");
                    }
                }
                Err(error) => tracing::warn!(mail = %mail.id, attempt = mail.attempts, error, "a mail was not taken"),
            }
        }
        Ok(())
    }

    async fn send(&self, mail: &Mail) -> Result<(), String> {
        let address = mail.to.parse().map_err(|e| format!("the address cannot be written to: {e}"))?;
        // The name is shown in the greeting; in the header it could be mistaken for an address.
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, address))
            .subject(mail.subject.as_str())
            // The same at each try, so that a mail server can tell that it has it.
            .message_id(Some(format!("<{}@{}>", mail.id, self.public_url.host_str().unwrap_or("localhost"))))
            .header(ContentType::TEXT_PLAIN)
            .body(text(mail, &self.public_url))
            .map_err(|e| e.to_string())?;
        self.transport.send(message).await.map(|_| ()).map_err(|e| e.to_string())
    }
}

/// The whole text: greeting, body, where it comes from.
fn text(mail: &Mail, public_url: &Url) -> String {
    let name = mail.name.trim();
    let greeting = if name.is_empty() { "Hello,".to_owned() } else { format!("Hello {name},") };
    let site = public_url.as_str().trim_end_matches('/');
    format!("{greeting}\n\n{}\n\n-- \nNEXUS\n{site}\n", mail.body.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, String> {
        text.parse::<SmtpUrl>().map(|url| url.0)
    }

    #[test]
    fn a_password_is_not_sent_in_the_clear_to_another_machine() {
        assert_eq!(read("smtp://u:p@mail.example.org:587").unwrap(), "smtp://u:p@mail.example.org:587?tls=required");
        assert_eq!(read("smtp://u:p@127.0.0.1:2525").unwrap(), "smtp://u:p@127.0.0.1:2525?tls=opportunistic");
        assert_eq!(read("smtp://mail.example.org").unwrap(), "smtp://mail.example.org:25?tls=opportunistic");
        assert_eq!(read("smtp://u:p@relay.internal:25?tls=none").unwrap(), "smtp://u:p@relay.internal:25");
        assert_eq!(read("smtps://u:p@mail.example.org").unwrap(), "smtps://u:p@mail.example.org");
        for bad in ["mail.example.org", "http://x/", "smtp://", "smtp://h?tls=maybe", "smtps://h?tls=none"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_mail_greets_and_says_where_it_comes_from() {
        let mail = Mail {
            id: uuid::Uuid::nil(),
            to: "ada@example.org".into(),
            name: "Ada".into(),
            subject: "S".into(),
            body: "It was declined.".into(),
            attempts: 1,
        };
        let site = Url::parse("https://nexus.example/").unwrap();
        assert_eq!(text(&mail, &site), "Hello Ada,\n\nIt was declined.\n\n-- \nNEXUS\nhttps://nexus.example\n");
        assert!(text(&Mail { name: " ".into(), ..mail }, &site).starts_with("Hello,\n"));
    }
}
