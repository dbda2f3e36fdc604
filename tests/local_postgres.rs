//! The program's own PostgreSQL: what it keeps, what it survives, what it refuses.
#![expect(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nexus::postgres::{LocalPostgres, PostgresError};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};
use sqlx::{Connection as _, PgConnection};
use tempfile::TempDir;

/// A folder that the user of PostgreSQL can pass through, also when the tests run as root.
fn data_dir() -> TempDir {
    tempfile::Builder::new().permissions(Permissions::from_mode(0o711)).tempdir().unwrap()
}

async fn connect(postgres: &LocalPostgres) -> PgConnection {
    PgConnection::connect_with(&postgres.connect_options()).await.unwrap()
}

async fn write_note(postgres: &LocalPostgres) {
    let mut connection = connect(postgres).await;
    sqlx::raw_sql("CREATE TABLE note (text text); INSERT INTO note VALUES ('kept')")
        .execute(&mut connection)
        .await
        .unwrap();
}

async fn read_note(postgres: &LocalPostgres) -> String {
    sqlx::query_scalar("SELECT text FROM note").fetch_one(&mut connect(postgres).await).await.unwrap()
}

async fn setting(postgres: &LocalPostgres, name: &str) -> String {
    let select = "SELECT current_setting($1)";
    sqlx::query_scalar(select).bind(name).fetch_one(&mut connect(postgres).await).await.unwrap()
}

fn postmaster(cluster: &Path) -> Pid {
    let file = fs::read_to_string(cluster.join("postmaster.pid")).unwrap();
    Pid::from_raw(file.lines().next().unwrap().parse().unwrap())
}

#[tokio::test]
async fn data_outlives_a_stop() {
    let dir = data_dir();
    let inside = dir.path().join("not/there/yet");
    let postgres = LocalPostgres::start(&inside).await.unwrap();
    write_note(&postgres).await;
    for durable in ["fsync", "synchronous_commit", "full_page_writes"] {
        assert_eq!(setting(&postgres, durable).await, "on", "{durable}");
    }
    assert_eq!(setting(&postgres, "listen_addresses").await, "");
    assert_eq!(setting(&postgres, "server_encoding").await, "UTF8");
    postgres.stop().await.unwrap();
    assert!(!inside.join("postgres/postmaster.pid").exists(), "the server went on running");

    let postgres = LocalPostgres::start(&inside).await.unwrap();
    assert_eq!(read_note(&postgres).await, "kept");
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn the_url_is_for_people_and_for_sqlx() {
    let dir = data_dir();
    let postgres = LocalPostgres::start(dir.path()).await.unwrap();
    let user: String = sqlx::query_scalar("SELECT current_user || '@' || current_database()")
        .fetch_one(&mut PgConnection::connect(&postgres.url()).await.unwrap())
        .await
        .unwrap();
    assert_eq!(user, "nexus@nexus");
    if let Ok(psql) = Command::new("psql").arg(postgres.url()).args(["-Atc", "SELECT 6 * 7"]).output() {
        assert_eq!(String::from_utf8_lossy(&psql.stdout), "42\n", "{}", String::from_utf8_lossy(&psql.stderr));
    }
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_dropped_server_is_stopped() {
    let dir = data_dir();
    let postgres = LocalPostgres::start(dir.path()).await.unwrap();
    tokio::task::spawn_blocking(|| drop(postgres)).await.unwrap();
    assert!(!dir.path().join("postgres/postmaster.pid").exists());
}

#[tokio::test]
async fn a_killed_server_recovers() {
    let dir = data_dir();
    let postgres = LocalPostgres::start(dir.path()).await.unwrap();
    write_note(&postgres).await;
    kill(postmaster(&dir.path().join("postgres")), Signal::SIGKILL).unwrap();
    drop(postgres);

    let postgres = LocalPostgres::start(dir.path()).await.unwrap();
    assert_eq!(read_note(&postgres).await, "kept");
    postgres.stop().await.unwrap();
}

/// The process id in a stale file may long be another process's: here it is the test's own.
#[tokio::test]
async fn a_stale_process_id_is_no_obstacle() {
    let dir = data_dir();
    let postgres = LocalPostgres::start(dir.path()).await.unwrap();
    write_note(&postgres).await;
    let file = dir.path().join("postgres/postmaster.pid");
    let contents = fs::read_to_string(&file).unwrap();
    let others =
        contents.replacen(&postmaster(&dir.path().join("postgres")).to_string(), &Pid::parent().to_string(), 1);
    postgres.stop().await.unwrap();
    fs::write(&file, others).unwrap();

    let postgres = LocalPostgres::start(dir.path()).await.unwrap();
    assert_eq!(read_note(&postgres).await, "kept");
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_second_program_is_refused_and_told_why() {
    let dir = data_dir();
    let first = LocalPostgres::start(dir.path()).await.unwrap();
    let refusal = LocalPostgres::start(dir.path()).await.unwrap_err().to_string();
    let (pid, shown) = (std::process::id(), dir.path().display());
    let expected =
        format!("another nexus (pid {pid}) already runs on {shown}; stop it or set NEXUS_DATA_DIR to another folder");
    assert_eq!(refusal, expected);
    first.stop().await.unwrap();
}

/// Not a test of its own: the program that others start and kill. It runs on the folder that it is told.
#[tokio::test]
#[ignore = "started by other tests"]
async fn program() {
    let mut dir = String::new();
    std::io::stdin().read_line(&mut dir).unwrap();
    let postgres = LocalPostgres::start(Path::new(dir.trim())).await.unwrap();
    write_note(&postgres).await;
    println!("ready");
    std::future::pending::<()>().await;
}

fn start_program(dir: &Path) -> Child {
    let mut program = Command::new(std::env::current_exe().unwrap())
        .args(["program", "--exact", "--ignored", "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(program.stdin.as_mut().unwrap(), "{}", dir.display()).unwrap();
    program
}

#[tokio::test]
async fn the_server_of_a_killed_program_is_taken_over_and_stopped() {
    let dir = data_dir();
    let mut program = start_program(dir.path());
    let mut said = BufReader::new(program.stdout.take().unwrap()).lines();
    assert!(said.any(|line| line.unwrap().ends_with("ready")), "the program did not come up");
    let orphan = postmaster(&dir.path().join("postgres"));
    program.kill().unwrap();
    program.wait().unwrap();

    let postgres = LocalPostgres::start(dir.path()).await.unwrap();
    assert_eq!(postmaster(&dir.path().join("postgres")), orphan);
    assert_eq!(read_note(&postgres).await, "kept");
    postgres.stop().await.unwrap();
    assert!(!dir.path().join("postgres/postmaster.pid").exists(), "the orphan went on running");
}

#[tokio::test]
async fn a_kill_while_the_cluster_is_made_leaves_nothing_behind() {
    let dir = data_dir();
    let mut program = start_program(dir.path());
    let begun = dir.path().join(format!("postgres.new-{}/base", program.id()));
    while !begun.exists() {
        std::thread::yield_now();
    }
    program.kill().unwrap();
    program.wait().unwrap();

    let postgres = LocalPostgres::start(dir.path()).await.unwrap();
    write_note(&postgres).await;
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_cluster_of_another_version_is_named() {
    let dir = data_dir();
    LocalPostgres::start(dir.path()).await.unwrap().stop().await.unwrap();
    fs::write(dir.path().join("postgres/PG_VERSION"), "9\n").unwrap();
    let error = LocalPostgres::start(dir.path()).await.unwrap_err();
    assert!(matches!(error, PostgresError::WrongVersion { made_by: 9, .. }), "{error}");
}

#[tokio::test]
async fn a_path_too_long_for_a_socket_will_do() {
    let dir = data_dir();
    let long = dir.path().join("a folder, with a name that is as long as it is odd ".repeat(3).trim());
    let postgres = LocalPostgres::start(&long).await.unwrap();
    write_note(&postgres).await;
    PgConnection::connect(&postgres.url()).await.unwrap();
    postgres.stop().await.unwrap();
}

/// As root, with a folder that only root can enter, the cluster goes where the user of PostgreSQL can.
#[tokio::test]
async fn a_closed_folder_has_its_cluster_elsewhere() {
    if !geteuid().is_root() {
        return;
    }
    let dir = tempfile::Builder::new().permissions(Permissions::from_mode(0o700)).tempdir().unwrap();
    let postgres = LocalPostgres::start(dir.path()).await.unwrap();
    write_note(&postgres).await;
    postgres.stop().await.unwrap();
    let note = fs::read_to_string(dir.path().join("postgres.location")).unwrap();
    let elsewhere = Path::new(note.lines().next().unwrap());
    assert!(elsewhere.starts_with("/var/lib/nexus") && elsewhere.join("postgres/PG_VERSION").exists());

    let postgres = LocalPostgres::start(dir.path()).await.unwrap();
    assert_eq!(read_note(&postgres).await, "kept");
    postgres.stop().await.unwrap();
    fs::remove_dir_all(elsewhere).unwrap();
}
