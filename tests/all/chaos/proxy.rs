//! What stands between a program and its server, so that the one can be cut off from the other.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sqlx::PgPool;
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::task::{JoinHandle, JoinSet};

/// A way to the database, or to another server, that can be closed.
pub struct Proxy {
    port: u16,
    user: String,
    database: String,
    target: Target,
    open: Arc<Mutex<Option<JoinHandle<()>>>>,
}

#[derive(Clone)]
enum Target {
    Socket(PathBuf),
    Address(String, u16),
}

impl Proxy {
    pub async fn start(pool: &PgPool) -> Proxy {
        let options = pool.connect_options();
        // A server on a unix socket alone may be named by its folder as a host.
        let folder = options
            .get_socket()
            .cloned()
            .or_else(|| options.get_host().starts_with('/').then(|| PathBuf::from(options.get_host())));
        let target = match folder {
            Some(folder) => Target::Socket(folder.join(format!(".s.PGSQL.{}", options.get_port()))),
            None => Target::Address(options.get_host().to_owned(), options.get_port()),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Proxy {
            port: listener.local_addr().unwrap().port(),
            user: options.get_username().to_owned(),
            database: options.get_database().unwrap().to_owned(),
            target,
            open: Arc::default(),
        };
        proxy.serve(listener);
        proxy
    }

    /// A way to a server at an address.
    pub async fn before(server: SocketAddr) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Proxy {
            port: listener.local_addr().unwrap().port(),
            user: String::new(),
            database: String::new(),
            target: Target::Address(server.ip().to_string(), server.port()),
            open: Arc::default(),
        };
        proxy.serve(listener);
        proxy
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn url(&self) -> String {
        format!("postgres://{}@127.0.0.1:{}/{}?sslmode=disable", self.user, self.port, self.database)
    }

    fn serve(&self, listener: TcpListener) {
        let target = self.target.clone();
        let serving = tokio::spawn(async move {
            // Dropped with the task, and with them their connections.
            let mut connections = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                connections.spawn(pass(client, target.clone()));
                while connections.try_join_next().is_some() {}
            }
        });
        *self.open.lock().unwrap() = Some(serving);
    }

    /// Closes every connection and refuses new ones for so long.
    pub async fn cut(&self, time: Duration) {
        let serving = self.open.lock().unwrap().take().unwrap();
        serving.abort();
        let _ = serving.await;
        assert!(TcpStream::connect(("127.0.0.1", self.port)).await.is_err(), "the way is closed");
        tokio::time::sleep(time).await;
        self.serve(TcpListener::bind(("127.0.0.1", self.port)).await.unwrap());
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(serving) = self.open.lock().unwrap().take() {
            serving.abort();
        }
    }
}

async fn pass(mut client: TcpStream, target: Target) {
    let _ = client.set_nodelay(true);
    // Whichever side hangs up, the other is hung up on.
    match target {
        Target::Socket(path) => {
            if let Ok(mut server) = UnixStream::connect(path).await {
                let _ = either(&mut client, &mut server).await;
            }
        }
        Target::Address(host, port) => {
            if let Ok(mut server) = TcpStream::connect((host.as_str(), port)).await {
                let _ = either(&mut client, &mut server).await;
            }
        }
    }
}

async fn either<S>(client: &mut TcpStream, server: &mut S) -> std::io::Result<u64>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = tokio::io::split(server);
    tokio::select! {
        done = tokio::io::copy(&mut from_client, &mut to_server) => done,
        done = tokio::io::copy(&mut from_server, &mut to_client) => done,
    }
}
