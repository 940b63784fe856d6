//! The format file, read by lnav itself.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::Command;

use correlation_testkit::services::require;

#[test]
fn lnav_knows_the_fields() {
    let home = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("lnav");
    fs::create_dir_all(&home).unwrap();
    let lnav = |arguments: &[&str]| {
        Command::new("lnav")
            .args(arguments)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("HOME", &home)
            .env_remove("XDG_CONFIG_HOME")
            .env("TERM", "xterm")
            .output()
    };
    match lnav(&["-i", "lnav/correlation.json"]) {
        Ok(output) => assert!(output.status.success(), "{output:?}"),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            require::<()>(Err("no lnav on this machine".to_owned()));
            return;
        }
        Err(error) => panic!("{error}"),
    }
    let check = lnav(&["-C"]).unwrap();
    assert!(check.status.success(), "{check:?}");
    let query = ";SELECT log_level, correlation_id, coalesce(\"fields/message\", log_body) AS said \
                 FROM correlation_json WHERE correlation_id = '5cb8f0c2'";
    let found = lnav(&[
        "-n",
        "-c",
        query,
        "-c",
        ":write-csv-to -",
        "tests/fixtures/gateway.log",
    ]);
    let found = String::from_utf8(found.unwrap().stdout).unwrap();
    assert_eq!(
        found,
        "log_level,correlation_id,said\n\
         info,5cb8f0c2,purchase started\n\
         warning,5cb8f0c2,purchase finished\n"
    );
}
