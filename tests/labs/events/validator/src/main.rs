//! Reads a CloudEvent in JSON from standard input; is it a valid CDEvent of the version that the argument names?

use std::{env, io, process};

use cdevents_sdk::CDEvent;
use cloudevents::{AttributesReader, Event};

fn check(version: &str) -> Result<String, String> {
    let cloudevent: Event = serde_json::from_reader(io::stdin()).map_err(|error| format!("no CloudEvent: {error}"))?;
    let cdevent = CDEvent::try_from(cloudevent.clone()).map_err(|error| format!("no CDEvent: {error}"))?;
    if cdevent.version() != version {
        return Err(format!("specversion is {}, not {version}", cdevent.version()));
    }
    // The SDK's own binding says what the attributes around the event must be.
    let bound = Event::try_from(cdevent).map_err(|error| format!("cannot be bound: {error}"))?;
    let attributes = |event: &Event| {
        (event.id().to_owned(), event.ty().to_owned(), event.source().to_owned(), event.subject().map(str::to_owned),
         event.time().copied(), event.datacontenttype().map(str::to_owned), event.specversion().to_string())
    };
    if attributes(&cloudevent) != attributes(&bound) {
        return Err(format!("the attributes are {:?}, not {:?}", attributes(&cloudevent), attributes(&bound)));
    }
    Ok(cloudevent.ty().to_owned())
}

fn main() {
    match check(&env::args().nth(1).unwrap_or_default()) {
        Ok(kind) => println!("{kind}"),
        Err(reason) => {
            eprintln!("{reason}");
            process::exit(1);
        }
    }
}
