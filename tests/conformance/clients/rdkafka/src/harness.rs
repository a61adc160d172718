//! The words spoken with the harness (../README.md), and the account of what was sent and read.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// What a scenario has shown, with its numbers, or why it failed.
pub type Outcome = Result<(String, Vec<(&'static str, u64)>), String>;

pub struct Env {
    pub bootstrap: String,
    pub prefix: String,
}

impl Env {
    pub fn name(&self, suffix: &str) -> String {
        format!("{}-{suffix}", self.prefix)
    }
}

/// Has the harness do something and waits until it is done.
pub fn ask(request: &str) -> Result<(), String> {
    println!("@{request}");
    std::io::stdout().flush().map_err(|error| error.to_string())?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).map_err(|error| error.to_string())?;
    match answer.trim() {
        "ok" => Ok(()),
        text if text.starts_with("ok ") => Ok(()),
        text => Err(format!("asked the harness for {request}: {text}")),
    }
}

/// Prints the verdict and ends the program.
pub fn end(outcome: Outcome) -> ! {
    let (verdict, detail, numbers) = match outcome {
        Ok((detail, numbers)) => ("pass", detail, numbers),
        Err(detail) => ("fail", detail, Vec::new()),
    };
    let detail: String = detail
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .flat_map(|c| if c == '"' || c == '\\' { vec!['\\', c] } else { vec![c] })
        .collect();
    let numbers: String = numbers.iter().map(|(name, value)| format!(", \"{name}\": {value}")).collect();
    println!("{{\"verdict\": \"{verdict}\", \"detail\": \"{detail}\"{numbers}}}");
    std::process::exit(if verdict == "pass" { 0 } else { 1 })
}

/// Calls `step` until it says that it is done.
pub fn wait(limit: Duration, what: impl Fn() -> String, mut step: impl FnMut() -> Result<bool, String>) -> Result<(), String> {
    let deadline = Instant::now() + limit;
    while !step()? {
        if Instant::now() > deadline {
            return Err(format!("not within {limit:?}: {}", what()));
        }
    }
    Ok(())
}

const FILLER: &str = "a text that is the same in every record and therefore compresses well, ";

/// The value of the record with this number; it begins with it.
pub fn value_of(number: usize) -> String {
    format!("{number} {}", FILLER.repeat(14))
}

pub fn number_of(value: Option<&[u8]>) -> Result<usize, String> {
    let text = String::from_utf8_lossy(value.unwrap_or_default()).into_owned();
    let number = text.split(' ').next().and_then(|word| word.parse().ok());
    number.ok_or_else(|| format!("read a record that nobody wrote: {text:.40}"))
}

#[derive(Default)]
struct Account {
    acknowledged: HashMap<usize, (i32, i64)>,
    read: HashMap<usize, Vec<(i32, i64)>>,
    order: BTreeMap<i32, Vec<(i64, usize)>>,
    last: Option<Instant>,
    longest: Duration,
}

/// Accounts for records. Each has a number of its own, rising in the order of sending.
#[derive(Default)]
pub struct Ledger(Mutex<Account>);

impl Ledger {
    fn account(&self) -> std::sync::MutexGuard<'_, Account> {
        self.0.lock().expect("nobody panics with it")
    }

    pub fn acknowledge(&self, number: usize, partition: i32, offset: i64) {
        let mut account = self.account();
        account.acknowledged.insert(number, (partition, offset));
        let now = Instant::now();
        if let Some(last) = account.last {
            account.longest = account.longest.max(now - last);
        }
        account.last = Some(now);
    }

    pub fn read(&self, number: usize, partition: i32, offset: i64) {
        let mut account = self.account();
        account.read.entry(number).or_default().push((partition, offset));
        account.order.entry(partition).or_default().push((offset, number));
    }

    pub fn acknowledged(&self) -> usize {
        self.account().acknowledged.len()
    }

    pub fn count(&self) -> usize {
        self.account().read.len()
    }

    pub fn missing(&self) -> usize {
        let account = self.account();
        account.acknowledged.keys().filter(|number| !account.read.contains_key(number)).count()
    }

    pub fn duplicates(&self) -> usize {
        self.account().read.values().map(|places| places.len() - 1).sum()
    }

    /// How many records were read of each partition.
    pub fn counts(&self) -> Vec<usize> {
        self.account().order.values().map(Vec::len).collect()
    }

    /// The longest time between two acknowledgements.
    pub fn longest_gap_ms(&self) -> u64 {
        self.account().longest.as_millis() as u64
    }

    /// Everything acknowledged was read, at the place that was told, once and in order of sending.
    pub fn check(&self) -> Result<(), String> {
        let account = self.account();
        for (number, told) in &account.acknowledged {
            match account.read.get(number).map(Vec::as_slice) {
                None => return Err(format!("record {number} was acknowledged at {told:?} and never read")),
                Some([place]) if place == told => {}
                Some(places) => return Err(format!("record {number}, acknowledged at {told:?}, was read at {places:?}")),
            }
        }
        for (partition, order) in &account.order {
            if let Some(pair) = order.windows(2).find(|pair| pair[0].0 >= pair[1].0 || pair[0].1 >= pair[1].1) {
                return Err(format!("partition {partition} was read out of order: {pair:?}"));
            }
        }
        Ok(())
    }
}
