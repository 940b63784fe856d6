//! What goes wrong is one clear line.

use std::ffi::OsStr;
use std::fs;
use std::net::TcpListener;
use std::os::unix::ffi::OsStrExt;

use correlation_testkit::services::free_port;
use tokio::time::timeout;

use crate::shop::{PATIENCE, assert_failed, assert_gone, folder, run, storefront, text};

#[tokio::test]
async fn a_server_that_cannot_be_used_is_one_clear_line() {
    let addr = format!("127.0.0.1:{}", free_port());
    let logs = folder("unusable");
    for (variable, value, named) in [
        (
            "DATABASE_URL",
            "mysql://shop:secret@localhost",
            "allowed is",
        ),
        ("QUEUE_URL", "kafka://shop:secret@localhost", "allowed is"),
        ("QUEUE_URL", "", "allowed is"),
        // Whatever stands there.
        ("QUEUE_URL", "amqp:shop:secret", "cannot use"),
        ("QUEUE_URL", "sqlite::memory:", "allowed is a file"),
        ("QUEUE", "a\nb", "allowed is"),
        ("QUEUE", "", "allowed is"),
        (
            "DATABASE_URL",
            &format!("postgres://shop:secret@{addr}/shop"),
            "cannot use",
        ),
        (
            "QUEUE_URL",
            &format!("amqp://shop:secret@{addr}"),
            "cannot use",
        ),
    ] {
        let mut demo = storefront(&["--once", "--logs", logs.to_str().unwrap()]);
        let output = timeout(PATIENCE, demo.env(variable, value).output()).await;
        let output = output.expect("it ends in time").unwrap();
        assert_failed(&output, 1, &[variable, named]);
        assert!(!text(&output.stderr).contains("secret"), "{output:?}");
        assert_gone(&logs);
        fs::remove_dir_all(&logs).ok();
    }
}

#[cfg(not(feature = "servers"))]
#[tokio::test]
async fn a_server_without_its_feature_is_one_clear_line() {
    let logs = folder("feature");
    for (variable, scheme) in [
        ("DATABASE_URL", "postgres"),
        ("DATABASE_URL", "postgresql"),
        ("QUEUE_URL", "postgres"),
        ("QUEUE_URL", "redis"),
        ("QUEUE_URL", "amqp"),
    ] {
        let mut demo = storefront(&["--once", "--logs", logs.to_str().unwrap()]);
        let demo = demo.env(variable, format!("{scheme}://shop:secret@127.0.0.1"));
        let output = timeout(PATIENCE, demo.output()).await;
        let output = output.expect("it ends in time").unwrap();
        let needs = format!("a {scheme}: URL needs `--features servers`");
        assert_failed(&output, 1, &[variable, &needs]);
        assert!(!text(&output.stderr).contains("secret"), "{output:?}");
        assert_gone(&logs);
    }
}

#[tokio::test]
async fn a_variable_that_is_no_text_is_one_clear_line() {
    let logs = folder("no-text");
    for variable in ["DATABASE_URL", "QUEUE_URL", "QUEUE"] {
        let mut demo = storefront(&["--once", "--logs", logs.to_str().unwrap()]);
        let output = demo.env(variable, OsStr::from_bytes(b"\xff")).output();
        let output = timeout(PATIENCE, output).await;
        let output = output.expect("it ends in time").unwrap();
        assert_failed(&output, 1, &["invalid", variable]);
    }
}

#[tokio::test]
async fn an_unwritable_folder_is_one_clear_line() {
    let file = folder("unwritable").with_extension("txt");
    fs::write(&file, "not a folder").unwrap();
    let logs = file.join("logs");
    let output = run(&["--once", "--logs", logs.to_str().unwrap()]).await;
    assert_failed(&output, 1, &["cannot write to", logs.to_str().unwrap()]);
}

#[tokio::test]
async fn a_taken_port_is_one_clear_line() {
    let logs = folder("taken");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap();
    let port = addr.port().to_string();
    let output = run(&["--once", "--port", &port, "--logs", logs.to_str().unwrap()]).await;
    assert_failed(
        &output,
        1,
        &["gateway", "cannot listen on", &addr.to_string()],
    );
    assert_gone(&logs);
}

#[tokio::test]
async fn unknown_arguments_are_one_clear_line() {
    for (args, named) in [
        (&["--twice"][..], "--twice"),
        (&["--port"], "--port"),
        (&["--port", "65536"], "65536"),
        (&["--port", "-1"], "-1"),
        (&["--logs"], "--logs"),
        (&["--logs", ""], "--logs"),
        (&["serve"], "service"),
        (&["serve", "warehouse"], "warehouse"),
        (&["--once", "serve", "orders"], "serve"),
    ] {
        assert_failed(&run(args).await, 2, &[named, "--help"]);
    }
    assert_failed(&run(&["serve", "orders"]).await, 1, &["LOG_FILE"]);
    let help = run(&["--once", "--help"]).await;
    assert!(help.status.success() && text(&help.stdout).contains("Usage: storefront"));
}
