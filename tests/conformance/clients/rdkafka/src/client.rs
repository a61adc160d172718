//! What all scenarios need of rdkafka.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_executor::block_on;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance};
use rdkafka::message::{BorrowedMessage, DeliveryResult};
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer};
use rdkafka::{ClientContext, Message};

use crate::harness::{number_of, value_of, wait, Env, Ledger};

pub const LONG: Duration = Duration::from_secs(30);

pub fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

pub fn config(env: &Env, settings: &[(&str, &str)]) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &env.bootstrap);
    for (key, value) in settings {
        config.set(*key, *value);
    }
    config
}

pub fn admin(env: &Env) -> Result<AdminClient<DefaultClientContext>, String> {
    config(env, &[]).create().map_err(text)
}

/// Makes a topic of three replicas and returns its name.
pub fn create(env: &Env, suffix: &str, partitions: i32, settings: &[(&str, &str)]) -> Result<String, String> {
    let name = env.name(suffix);
    let mut topic = NewTopic::new(&name, partitions, TopicReplication::Fixed(3));
    topic.config = settings.to_vec();
    let results = block_on(admin(env)?.create_topics([&topic], &AdminOptions::new())).map_err(text)?;
    match results.into_iter().next() {
        Some(Ok(_)) => Ok(name),
        other => Err(format!("create {name}: {other:?}")),
    }
}

/// Notes acknowledgements; the first refusal is kept.
#[derive(Default)]
pub struct Deliveries {
    pub ledger: Arc<Ledger>,
    pub refusal: Mutex<Option<String>>,
}

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = Box<usize>;

    fn delivery(&self, result: &DeliveryResult<'_>, number: Box<usize>) {
        match result {
            Ok(message) => self.ledger.acknowledge(*number, message.partition(), message.offset()),
            Err((error, _)) => {
                self.refusal.lock().expect("no panic").get_or_insert(error.to_string());
            }
        }
    }
}

pub struct Writer {
    pub producer: ThreadedProducer<Deliveries>,
}

impl Writer {
    pub fn new(env: &Env, ledger: &Arc<Ledger>, settings: &[(&str, &str)]) -> Result<Writer, String> {
        let deliveries = Deliveries { ledger: ledger.clone(), refusal: Mutex::default() };
        let mut config = config(env, &[("acks", "all"), ("partitioner", "murmur2_random"), ("linger.ms", "5")]);
        for (key, value) in settings {
            config.set(*key, *value);
        }
        Ok(Writer { producer: config.create_with_context(deliveries).map_err(text)? })
    }

    pub fn send(&self, topic: &str, number: usize, partition: Option<i32>, key: Option<&str>, value: &[u8]) -> Result<(), String> {
        let mut record = BaseRecord::with_opaque_to(topic, Box::new(number)).payload(value);
        record.partition = partition;
        record.key = key;
        self.producer.send::<str, [u8]>(record).map_err(|(error, _)| text(error))
    }

    /// Sends records numbered from first to below end, by their number to `partitions` partitions.
    pub fn produce(&self, topic: &str, first: usize, end: usize, partitions: usize) -> Result<(), String> {
        for number in first..end {
            self.send(topic, number, Some((number % partitions) as i32), None, value_of(number).as_bytes())?;
        }
        self.flush()
    }

    /// Waits for all answers, whatever they are.
    pub fn producer_flush(&self) -> Result<(), String> {
        self.producer.flush(LONG).map_err(text)
    }

    /// Waits for all answers; a refusal is an error.
    pub fn flush(&self) -> Result<(), String> {
        self.producer_flush()?;
        self.refusal().map_or(Ok(()), Err)
    }

    pub fn refusal(&self) -> Option<String> {
        self.producer.context().refusal.lock().expect("no panic").take()
    }
}

/// Knows which partitions its member holds, and commits before they go.
#[derive(Default)]
pub struct Membership {
    pub held: Mutex<Vec<i32>>,
}

impl ClientContext for Membership {}

impl ConsumerContext for Membership {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Revoke(partitions) = rebalance {
            let gone: Vec<i32> = partitions.elements().iter().map(|one| one.partition()).collect();
            let _ = consumer.commit_consumer_state(CommitMode::Sync); // nothing to commit is an error too
            self.held.lock().expect("no panic").retain(|partition| !gone.contains(partition));
        }
    }

    fn post_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Assign(partitions) = rebalance {
            let come = partitions.elements().iter().map(|one| one.partition()).collect::<Vec<_>>();
            self.held.lock().expect("no panic").extend(come);
        }
    }
}

pub type Reader = BaseConsumer<Membership>;

pub fn reader(env: &Env, topic: &str, group: &str, settings: &[(&str, &str)]) -> Result<Reader, String> {
    let group = env.name(group);
    let mut config = config(env, &[("group.id", &group), ("auto.offset.reset", "earliest"), ("enable.auto.commit", "false"), ("enable.auto.offset.store", "false")]);
    for (key, value) in settings {
        config.set(*key, *value);
    }
    let consumer: Reader = config.create_with_context(Membership::default()).map_err(text)?;
    consumer.subscribe(&[topic]).map_err(text)?;
    Ok(consumer)
}

/// Takes one message, if there is one within a tenth of a second. Only then its offset may be committed:
/// what the client takes by itself while it closes would count otherwise.
pub fn poll(reader: &Reader, mut each: impl FnMut(&BorrowedMessage<'_>) -> Result<(), String>) -> Result<bool, String> {
    match reader.poll(Duration::from_millis(100)) {
        None => Ok(false),
        Some(Ok(message)) => {
            each(&message)?;
            let _ = reader.store_offset_from_message(&message); // its partition may be gone meanwhile
            Ok(true)
        }
        Some(Err(error)) => Err(text(error)),
    }
}

pub fn into(ledger: &Ledger) -> impl Fn(&BorrowedMessage<'_>) -> Result<(), String> + '_ {
    |message| {
        ledger.read(number_of(message.payload())?, message.partition(), message.offset());
        Ok(())
    }
}

/// Reads until nothing is missing, and a second more for what is too much.
pub fn read_all(reader: &Reader, ledger: &Ledger, each: impl Fn(&BorrowedMessage<'_>) -> Result<(), String>) -> Result<(), String> {
    let note = into(ledger);
    let both = |message: &BorrowedMessage<'_>| each(message).and_then(|()| note(message));
    wait(LONG, || format!("{} acknowledged records were not read", ledger.missing()), || {
        poll(reader, both)?;
        Ok(ledger.missing() == 0)
    })?;
    let until = std::time::Instant::now() + Duration::from_secs(1);
    while std::time::Instant::now() < until {
        poll(reader, both)?;
    }
    Ok(())
}

pub fn read_back(env: &Env, topic: &str, ledger: &Ledger) -> Result<(), String> {
    read_all(&reader(env, topic, "reader", &[])?, ledger, |_| Ok(()))?;
    ledger.check()
}
