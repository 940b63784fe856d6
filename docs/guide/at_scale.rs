//! Prints the tables of the page "At scale": `cargo run -p guide --bin at-scale`.

fn main() {
    for table in guide::scale::tables() {
        println!("{table}");
    }
}
