//! The guard of the way out, against servers that mean harm. The judged address is the one that is connected to, and
//! no answer costs more than its limits.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use nexus::outbound::{Answer, Lookup, Outbound, OutboundError, Rules, is_public};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const LIMIT: Duration = Duration::from_millis(400);

/// A server that does with each connection what a test wants, and counts them.
struct Server {
    addr: SocketAddr,
    connections: Arc<AtomicUsize>,
    sent: Arc<AtomicUsize>,
}

/// What a connection does; it answers with how many bytes it got rid of.
type Behaviour = fn(TcpStream) -> BoxFuture<'static, usize>;

impl Server {
    async fn at(addr: &str, behave: Behaviour) -> Server {
        let listener = TcpListener::bind(addr).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (connections, sent): (Arc<AtomicUsize>, Arc<AtomicUsize>) = Default::default();
        let (count, bytes) = (Arc::clone(&connections), Arc::clone(&sent));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let bytes = Arc::clone(&bytes);
                tokio::spawn(async move { bytes.fetch_add(behave(stream).await, Ordering::SeqCst) });
            }
        });
        Server { addr, connections, sent }
    }

    fn visits(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    fn url(&self) -> String {
        format!("http://{}/", self.addr)
    }
}

/// Reads the head of one request.
async fn request(stream: &mut TcpStream) -> bool {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return false,
        }
    }
    true
}

/// Answers each request of a connection, and keeps it open.
fn polite(mut stream: TcpStream) -> BoxFuture<'static, usize> {
    Box::pin(async move {
        while request(&mut stream).await {
            if stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.is_err() {
                break;
            }
        }
        0
    })
}

/// Answers once, then closes.
fn once(mut stream: TcpStream, answer: &'static [u8]) -> BoxFuture<'static, usize> {
    Box::pin(async move {
        request(&mut stream).await;
        let _ = stream.write_all(answer).await;
        let _ = stream.shutdown().await;
        0
    })
}

/// Sends a head, then the same piece until nobody takes it any more.
fn flood(mut stream: TcpStream, head: &'static [u8], piece: &'static [u8]) -> BoxFuture<'static, usize> {
    Box::pin(async move {
        request(&mut stream).await;
        let mut sent = 0;
        if stream.write_all(head).await.is_ok() {
            while stream.write_all(piece).await.is_ok() {
                sent += piece.len();
            }
        }
        sent
    })
}

/// Sends a head, then a byte now and then.
fn drip(mut stream: TcpStream, head: &'static [u8]) -> BoxFuture<'static, usize> {
    Box::pin(async move {
        request(&mut stream).await;
        let _ = stream.write_all(head).await;
        while stream.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        0
    })
}

fn open() -> Outbound {
    nexus::serve::install_tls();
    Outbound::new(true).unwrap()
}

async fn get(outbound: &Outbound, url: &str, largest: usize) -> Result<Answer, OutboundError> {
    outbound.send_for(outbound.get(url.parse().unwrap()), largest, LIMIT).await
}

/// A name server that gives the answers in turn, the last one for good.
#[derive(Debug)]
struct Turns(Vec<Vec<IpAddr>>, AtomicUsize);

impl Lookup for Turns {
    fn lookup(&self, _: &str) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>> {
        let turn = self.1.fetch_add(1, Ordering::SeqCst);
        let answer = self.0.get(turn).or(self.0.last()).cloned().unwrap_or_default();
        Box::pin(async move { Ok(answer) })
    }
}

fn turns(answers: &[&[&str]]) -> Arc<Turns> {
    let parse = |ips: &&[&str]| ips.iter().map(|ip| ip.parse().unwrap()).collect();
    Arc::new(Turns(answers.iter().map(parse).collect(), AtomicUsize::new(0)))
}

#[tokio::test]
async fn a_private_address_is_refused_in_every_spelling() {
    nexus::serve::install_tls();
    let server = Server::at("127.0.0.1:0", polite).await;
    let port = server.addr.port();
    let guarded = Outbound::new(false).unwrap();
    assert!(get(&open(), &server.url(), 100).await.is_ok(), "somebody is there");
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "017700000001",
        "127.0.0.1.",
        "１２７.0.0.1",
        "127。0。0。1",
        "0.0.0.0",
        "0",
        "10.0.0.1",
        "172.31.255.255",
        "192.168.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "0xa9fea9fe",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[2002:7f00:1::]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b::169.254.169.254]",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "[ff02::1]",
        "localhost",
    ] {
        let answer = get(&guarded, &format!("http://{host}:{port}/"), 100).await;
        assert!(matches!(answer, Err(OutboundError::Refused(_))), "{host}: {answer:?}");
    }
    assert!(format!("http://[fe80::1%25lo]:{port}/").parse::<url::Url>().is_err(), "scopes are no part of a URL");
    for url in ["ftp://1.1.1.1/", "file:///etc/passwd", "gopher://1.1.1.1/", "unix:/run/x.sock"] {
        assert!(matches!(get(&guarded, url, 100).await, Err(OutboundError::Refused(_))), "{url}");
    }
    assert_eq!(server.visits(), 1, "and nobody was there a second time");
}

#[tokio::test]
async fn a_name_is_judged_by_every_address_it_has() {
    nexus::serve::install_tls();
    let server = Server::at("127.0.0.1:0", polite).await;
    let url = format!("http://agent.example:{}/", server.addr.port());
    for answers in [
        &["127.0.0.1"][..],
        &["93.184.215.14", "127.0.0.1"],
        &["127.0.0.1", "93.184.215.14"],
        &["2606:4700:4700::1111", "::1"],
        &["::ffff:127.0.0.1"],
        &["169.254.169.254"],
    ] {
        let guarded = Outbound::with_rules(Rules { may_connect: is_public, lookup: turns(&[answers]) }).unwrap();
        let answer = get(&guarded, &url, 100).await;
        assert!(matches!(answer, Err(OutboundError::Refused(_))), "{answers:?}: {answer:?}");
    }
    let nowhere = Outbound::with_rules(Rules { may_connect: is_public, lookup: turns(&[&[]]) }).unwrap();
    assert!(matches!(get(&nowhere, &url, 100).await, Err(OutboundError::Connect)), "a name without addresses");
    assert_eq!(server.visits(), 0);
}

/// Stands for the public internet: one address of this machine, so that a connection can be made.
fn outside(ip: IpAddr) -> bool {
    ip == IpAddr::from([127, 0, 0, 2])
}

#[tokio::test]
async fn a_name_that_changes_its_address_leads_nowhere_else() {
    nexus::serve::install_tls();
    let good = Server::at("127.0.0.2:0", polite).await;
    let trap = Server::at(&format!("127.0.0.1:{}", good.addr.port()), polite).await;
    let url = format!("http://agent.example:{}/", good.addr.port());
    let names = turns(&[&["127.0.0.2"], &["127.0.0.1"]]);
    let rules = Rules { may_connect: outside, lookup: Arc::<Turns>::clone(&names) };
    let outbound = Outbound::with_rules(rules).unwrap();
    assert_eq!(get(&outbound, &url, 100).await.unwrap().body, b"ok");
    assert_eq!(names.1.load(Ordering::SeqCst), 1, "looked up once: what was judged is what was connected to");
    // The connection that is still open is one to the judged address; the new answer of the name changes nothing.
    assert_eq!(get(&outbound, &url, 100).await.unwrap().body, b"ok");
    assert_eq!((good.visits(), names.1.load(Ordering::SeqCst)), (1, 1));
    // A new connection is judged anew.
    let other = Outbound::with_rules(Rules { may_connect: outside, lookup: Arc::<Turns>::clone(&names) }).unwrap();
    assert!(matches!(get(&other, &url, 100).await, Err(OutboundError::Refused(_))));
    assert_eq!(trap.visits(), 0);
}

#[tokio::test]
async fn a_closed_connection_is_not_an_excuse_to_go_elsewhere() {
    nexus::serve::install_tls();
    let good =
        Server::at("127.0.0.2:0", |s| once(s, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"))
            .await;
    let trap = Server::at(&format!("127.0.0.1:{}", good.addr.port()), polite).await;
    let url = format!("http://agent.example:{}/", good.addr.port());
    let lookup = turns(&[&["127.0.0.2"], &["127.0.0.1"]]);
    let outbound = Outbound::with_rules(Rules { may_connect: outside, lookup }).unwrap();
    assert_eq!(get(&outbound, &url, 100).await.unwrap().body, b"ok");
    assert!(matches!(get(&outbound, &url, 100).await, Err(OutboundError::Refused(_))));
    assert_eq!((good.visits(), trap.visits()), (1, 0));
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_not_followed() {
    nexus::serve::install_tls();
    let trap = Server::at("127.0.0.1:0", polite).await;
    let lookup = turns(&[&["127.0.0.2"]]);
    let outbound = Outbound::with_rules(Rules { may_connect: outside, lookup }).unwrap();
    for (behave, status) in [
        (redirect_301 as Behaviour, 301),
        (
            |s| once(s, b"HTTP/1.1 307 T\r\nLocation: //127.0.0.1/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
            307,
        ),
    ] {
        let good = Server::at("127.0.0.2:0", behave).await;
        let answer = get(&outbound, &good.url(), 100).await.unwrap();
        assert_eq!(answer.status.as_u16(), status);
        assert!(answer.location.as_deref().is_some_and(|l| l.contains("127.0.0.1")));
    }
    assert_eq!(trap.visits(), 0);
}

fn redirect_301(s: TcpStream) -> BoxFuture<'static, usize> {
    once(
        s,
        b"HTTP/1.1 301 M\r\nLocation: http://127.0.0.1:80/latest/meta-data\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    )
}

/// How an answer ended, in a word.
fn word(answer: &Result<Answer, OutboundError>) -> &'static str {
    match answer {
        Ok(_) => "answered",
        Err(OutboundError::Refused(_)) => "refused",
        Err(OutboundError::Connect) => "connect",
        Err(OutboundError::Timeout) => "timeout",
        Err(OutboundError::TooLarge(_)) => "too large",
        Err(OutboundError::Unreadable(_)) => "unreadable",
        Err(OutboundError::Broken) => "broken",
    }
}

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";

#[tokio::test]
async fn no_answer_takes_longer_or_more_than_its_limits() {
    let outbound = open();
    let cases: [(&str, &str, Behaviour); 17] = [
        ("headers byte by byte", "timeout", |s| drip(s, b"HTTP/1.1 200 OK\r\nX-Slow: ")),
        ("a status line byte by byte", "timeout", |s| drip(s, b"HTTP/1.1 200 ")),
        ("a body byte by byte", "timeout", |s| drip(s, b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n")),
        ("a body that says too much", "too large", |s| {
            drip(s, b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n")
        }),
        ("an endless body", "too large", |s| flood(s, b"HTTP/1.1 200 OK\r\n\r\n", &[b'x'; 4096])),
        ("endless chunks", "too large", |s| {
            flood(s, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"5\r\nhello\r\n")
        }),
        ("an endless chunk extension", "broken", |s| {
            flood(s, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;", &[b'x'; 4096])
        }),
        ("endless trailers", "broken", |s| {
            flood(s, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X-A: b\r\n")
        }),
        ("a body that breaks off", "broken", |s| once(s, b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")),
        ("gzip", "unreadable", |s| {
            once(s, b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\0")
        }),
        ("layers of brotli", "unreadable", |s| {
            once(
                s,
                b"HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nContent-Encoding: br\r\nContent-Length: 0\r\n\r\n",
            )
        }),
        ("an endless header", "broken", |s| flood(s, b"HTTP/1.1 200 OK\r\nX-Long: ", &[b'x'; 4096])),
        ("headers without end", "broken", |s| flood(s, HEAD, b"X-More: of the same\r\n")),
        ("1xx without end", "timeout", |s| flood(s, b"", b"HTTP/1.1 100 Continue\r\n\r\n")),
        ("early hints without end", "timeout", |s| {
            flood(s, b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n")
        }),
        ("HTTP/0.9", "broken", |s| once(s, b"<html>no status line at all</html>")),
        ("another protocol", "broken", |s| once(s, b"SSH-2.0-OpenSSH_9.2p1\r\n")),
    ];
    for (what, expected, behave) in cases {
        let server = Server::at("127.0.0.1:0", behave).await;
        let begun = Instant::now();
        let answer = get(&outbound, &server.url(), 100_000).await;
        assert_eq!(word(&answer), expected, "{what}: {answer:?}");
        assert!(begun.elapsed() < LIMIT * 4, "{what}: {:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn large_heads_within_the_reader_s_own_limits_are_refused_too() {
    let outbound = open();
    let large = Server::at("127.0.0.1:0", |mut s| {
        Box::pin(async move {
            request(&mut s).await;
            let head = format!("HTTP/1.1 200 OK\r\nX-Large: {}\r\nContent-Length: 0\r\n\r\n", "x".repeat(70_000));
            let _ = s.write_all(head.as_bytes()).await;
            0
        })
    })
    .await;
    assert_eq!(word(&get(&outbound, &large.url(), 100).await), "unreadable");
    let many = Server::at("127.0.0.1:0", |mut s| {
        Box::pin(async move {
            request(&mut s).await;
            let head = format!("HTTP/1.1 200 OK\r\n{}Content-Length: 0\r\n\r\n", "X: y\r\n".repeat(101));
            let _ = s.write_all(head.as_bytes()).await;
            0
        })
    })
    .await;
    assert_eq!(word(&get(&outbound, &many.url(), 100).await), "broken");
}

#[tokio::test]
async fn who_floods_is_hung_up_on() {
    let outbound = open();
    let server = Server::at("127.0.0.1:0", |s| flood(s, b"HTTP/1.1 200 OK\r\n\r\n", &[b'x'; 65_536])).await;
    assert_eq!(word(&get(&outbound, &server.url(), 100_000).await), "too large");
    let begun = Instant::now();
    while server.sent.load(Ordering::SeqCst) == 0 {
        assert!(begun.elapsed() < Duration::from_secs(5), "the server can still send");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // What the limit does not cover lies in the buffers of two sockets.
    assert!(server.sent.load(Ordering::SeqCst) < 20_000_000);
}

#[tokio::test]
async fn nothing_is_asked_for_compressed_and_nothing_goes_through_a_proxy() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/x?y=z", listener.local_addr().unwrap());
    let head = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = vec![0; 4096];
        let n = stream.read(&mut head).await.unwrap();
        let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await;
        String::from_utf8_lossy(&head[..n]).to_ascii_lowercase()
    });
    assert_eq!(get(&open(), &url, 100).await.unwrap().status, 204);
    let head = head.await.unwrap();
    assert!(head.starts_with("get /x?y=z http/1.1\r\n"), "{head}");
    for unwanted in ["accept-encoding", "cookie", "authorization", "referer", "proxy"] {
        assert!(!head.contains(unwanted), "{head}");
    }
}

/// A name server that never answers.
#[derive(Debug)]
struct Silent;

impl Lookup for Silent {
    fn lookup(&self, _: &str) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn a_name_server_that_is_silent_costs_no_more_than_the_limit() {
    nexus::serve::install_tls();
    let rules = Rules { may_connect: is_public, lookup: Arc::new(Silent) };
    let outbound = Outbound::with_rules(rules).unwrap();
    let begun = Instant::now();
    assert_eq!(word(&get(&outbound, "http://agent.example/", 100).await), "timeout");
    assert!(begun.elapsed() < LIMIT * 4);
}

#[tokio::test]
async fn a_body_can_be_read_as_it_comes() {
    let server = Server::at("127.0.0.1:0", |mut s| {
        Box::pin(async move {
            request(&mut s).await;
            let _ = s.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: Text/Event-Stream; charset=utf-8\r\n\r\none").await;
            tokio::time::sleep(Duration::from_millis(50)).await;
            let _ = s.write_all(b"two").await;
            tokio::time::sleep(Duration::from_secs(5)).await;
            0
        })
    })
    .await;
    let outbound = open();
    let mut answer = outbound.open(outbound.get(server.url().parse().unwrap()), LIMIT).await.unwrap();
    assert!(answer.head.is_event_stream() && !answer.head.may_be_json());
    let mut read = Vec::new();
    let silence = loop {
        match answer.chunk(tokio::time::Instant::now() + LIMIT).await {
            Ok(Some(bytes)) => read.extend(bytes),
            Ok(None) => panic!("it is still open"),
            Err(error) => break error,
        }
    };
    assert_eq!(read, b"onetwo");
    assert!(matches!(silence, OutboundError::Timeout));
}
