use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::message::BorrowedMessage;
use rdkafka::producer::BaseRecord;
use rdkafka::{Message, Offset, TopicPartitionList};

use crate::client::{create, into, poll, read_all, reader, text, Reader, Writer, LONG};
use crate::harness::{value_of, wait, Env, Ledger, Outcome};

fn held(reader: &Reader) -> usize {
    reader.context().held.lock().expect("no panic").len()
}

/// Two members of a group while records are written.
fn shared_by_two(env: &Env, settings: &[(&str, &str)]) -> Result<Arc<Ledger>, String> {
    let topic = create(env, "t", 6, &[])?;
    let ledger = Arc::new(Ledger::default());
    let writer = Writer::new(env, &ledger, &[("enable.idempotence", "true")])?;
    let is_writing = AtomicBool::new(true);
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            let mut number = 0;
            while is_writing.load(Ordering::SeqCst) {
                writer.produce(&topic, number, number + 6, 6)?;
                number += 6;
                std::thread::sleep(Duration::from_millis(20));
            }
            Ok(())
        });
        let result: Result<Reader, String> = (|| {
            let first = reader(env, &topic, "g", settings)?;
            let until = |second: Option<&Reader>, counts: (usize, usize)| {
                let now = || (held(&first), second.map_or(0, held));
                wait(LONG, || format!("the members hold {:?} partitions", now()), || {
                    poll(&first, into(&ledger))?;
                    if let Some(second) = second {
                        poll(second, into(&ledger))?;
                    }
                    Ok(now() == counts)
                })
            };
            until(None, (6, 0))?;
            let second = reader(env, &topic, "g", settings)?;
            until(Some(&second), (3, 3))?;
            let both = Instant::now() + Duration::from_secs(1);
            while Instant::now() < both {
                poll(&first, into(&ledger))?;
                poll(&second, into(&ledger))?;
            }
            let _ = second.commit_consumer_state(CommitMode::Sync);
            drop(second);
            until(None, (6, 0))?;
            is_writing.store(false, Ordering::SeqCst);
            Ok(first)
        })();
        is_writing.store(false, Ordering::SeqCst);
        let written: Result<(), String> = writing.join().map_err(|_| "the writer panicked".to_owned())?;
        let first = result?;
        written?;
        read_all(&first, &ledger, |_| Ok(()))
    })?;
    ledger.check()?;
    Ok(ledger)
}

pub fn rebalance(env: &Env) -> Outcome {
    let ledger = shared_by_two(env, &[])?;
    let numbers = vec![("messages", ledger.count() as u64), ("duplicates", ledger.duplicates() as u64)];
    Ok(("partitions 6, then 3 and 3, then 6; each record once".into(), numbers))
}

pub fn protocol(env: &Env, name: &str) -> Outcome {
    let ledger = shared_by_two(env, &[("group.protocol", name)])?;
    Ok((format!("{name} protocol"), vec![("messages", ledger.count() as u64)]))
}

pub fn commit_and_resume(env: &Env) -> Outcome {
    let topic = create(env, "t", 3, &[])?;
    let ledger = Arc::new(Ledger::default());
    Writer::new(env, &ledger, &[])?.produce(&topic, 0, 1000, 3)?;
    let first = reader(env, &topic, "g", &[])?;
    let next = RefCell::new(HashMap::new());
    let note = into(&ledger);
    wait(LONG, || format!("{} of 400 records", ledger.count()), || {
        poll(&first, |message| {
            next.borrow_mut().insert(message.partition(), message.offset() + 1);
            note(message)
        })?;
        Ok(ledger.count() >= 400)
    })?;
    let mut offsets = TopicPartitionList::new();
    for (partition, offset) in next.borrow().iter() {
        offsets.add_partition_offset(&topic, *partition, Offset::Offset(*offset)).map_err(text)?;
    }
    first.commit(&offsets, CommitMode::Sync).map_err(text)?;
    let told = first.committed_offsets(offsets.clone(), LONG).map_err(text)?;
    for one in told.elements() {
        if one.offset() != Offset::Offset(next.borrow()[&one.partition()]) {
            return Err(format!("committed in partition {}: {:?}", one.partition(), one.offset()));
        }
    }
    drop(first);
    read_all(&reader(env, &topic, "g", &[])?, &ledger, |_| Ok(()))?;
    ledger.check()?;
    Ok(("400 committed by the first member, the rest read by the second".into(), vec![("messages", ledger.count() as u64)]))
}

pub fn seek_pause_offsets_for_times(env: &Env) -> Outcome {
    let topic = create(env, "t", 2, &[])?;
    let start = 1_700_000_000_000_i64;
    let ledger = Arc::new(Ledger::default());
    let writer = Writer::new(env, &ledger, &[])?;
    for number in 0..200_usize {
        let value = value_of(number);
        let mut record = BaseRecord::with_opaque_to(&topic, Box::new(number)).payload(value.as_bytes());
        record.partition = Some((number % 2) as i32);
        record.timestamp = Some(start + (number / 2) as i64 * 1000);
        writer.producer.send::<[u8], [u8]>(record).map_err(|(error, _)| text(error))?;
    }
    writer.flush()?;
    let consumer = reader(env, &topic, "g", &[])?;
    read_all(&consumer, &ledger, |_| Ok(()))?;
    ledger.check()?;
    let wanted = [
        (start - 5, Offset::Offset(0)),
        (start + 40_000, Offset::Offset(40)),
        (start + 40_001, Offset::Offset(41)),
        (start + 1_000_000, Offset::End),
    ];
    for (time, offset) in wanted {
        let mut asked = TopicPartitionList::new();
        for partition in 0..2 {
            asked.add_partition_offset(&topic, partition, Offset::Offset(time)).map_err(text)?;
        }
        let told = consumer.offsets_for_times(asked, LONG).map_err(text)?;
        if told.count() != 2 || told.elements().iter().any(|one| one.offset() != offset) {
            return Err(format!("offsets for {time}, not {offset:?}: {told:?}"));
        }
    }
    let mut paused = TopicPartitionList::new();
    paused.add_partition(&topic, 1);
    consumer.pause(&paused).map_err(text)?;
    consumer.seek(&topic, 0, Offset::Offset(40), LONG).map_err(text)?;
    consumer.seek(&topic, 1, Offset::Offset(90), LONG).map_err(text)?;
    let got = RefCell::new([Vec::new(), Vec::new()]);
    let note = |message: &BorrowedMessage<'_>| {
        got.borrow_mut()[message.partition() as usize].push(message.offset());
        Ok(())
    };
    let while_paused = Instant::now() + Duration::from_secs(2);
    wait(LONG, || format!("with partition 1 paused: {:?}", got.borrow()), || {
        poll(&consumer, note)?;
        Ok(got.borrow()[0].len() >= 60 && Instant::now() > while_paused)
    })?;
    if got.borrow()[0] != (40..100).collect::<Vec<i64>>() || !got.borrow()[1].is_empty() {
        return Err(format!("after a seek to 40, and with partition 1 paused: {:?}", got.borrow()));
    }
    consumer.resume(&paused).map_err(text)?;
    wait(LONG, || format!("after partition 1 was resumed: {:?}", got.borrow()), || {
        poll(&consumer, note)?;
        Ok(got.borrow()[1].len() >= 10)
    })?;
    if got.borrow()[1] != (90..100).collect::<Vec<i64>>() || got.borrow()[0].len() != 60 {
        return Err(format!("after partition 1 was resumed at 90: {:?}", got.borrow()));
    }
    Ok(("offsets for times exact; a paused partition is silent".into(), vec![("messages", 200)]))
}
