//! `log4rs`, configured by the file `log4rs.yml`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/log4rs.yml");
    log4rs::init_file(file, correlation_log4rs::deserializers())?;
    loggers::purchase();
    Ok(())
}
