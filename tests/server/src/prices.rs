//! Prices that nobody pays: a random walk for each symbol, published to `prices.SYMBOL`.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::random::Random;
use crate::state::App;

/// The symbols in the order in which a page shows them.
pub fn symbols() -> impl Iterator<Item = &'static str> {
    OPENINGS.iter().map(|(symbol, _)| *symbol)
}

/// Publishes each symbol's opening now, and then a new price of one symbol in every `period`.
pub fn start(app: &Arc<App>, period: Duration) -> JoinHandle<Infallible> {
    let mut market = Market::new(SEED);
    for index in 0..OPENINGS.len() {
        let (topic, quote) = market.quote(index);
        app.topics.retain(&topic);
        app.topics.publish(app, &topic, &quote);
    }
    let app = Arc::clone(app);
    tokio::spawn(async move {
        let mut ticks = interval_at(Instant::now() + period, period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            ticks.tick().await;
            let index = market.step();
            let (topic, quote) = market.quote(index);
            app.topics.publish(&app, &topic, &quote);
        }
    })
}

/// The present prices.
struct Market {
    prices: Vec<f64>,
    random: Random,
}

impl Market {
    fn new(seed: u64) -> Self {
        Self {
            prices: OPENINGS.iter().map(|(_, open)| *open).collect(),
            random: Random::new(seed),
        }
    }

    /// Moves the price of one symbol, and tells whose.
    fn step(&mut self) -> usize {
        let drawn = (self.random.next() * self.prices.len() as f64) as usize;
        let (_, open) = OPENINGS[drawn];
        let price = &mut self.prices[drawn];
        let noise = (self.random.next() - 0.5) * open * SWING;
        // Drawn back to where it began, so that a walk of days is still a price.
        *price += noise + (open - *price) * PULL;
        drawn
    }

    /// The topic of a symbol, and what is published there.
    fn quote(&self, index: usize) -> (String, Value) {
        let (symbol, open) = OPENINGS[index];
        let scale = if open < 10.0 { 10_000.0 } else { 100.0 };
        let price = (self.prices[index] * scale).round() / scale;
        let quote = json!({ "price": price, "open": open });
        (format!("prices.{symbol}"), quote)
    }
}

/// What each symbol begins with.
const OPENINGS: [(&str, f64); 8] = [
    ("BTC", 91_250.0),
    ("ETH", 3_120.0),
    ("SOL", 142.5),
    ("EUR", 1.0825),
    ("GBP", 1.2710),
    ("GOLD", 2_684.0),
    ("OIL", 71.4),
    ("WHEAT", 548.25),
];

/// The widest step, both directions together, as a part of the opening.
const SWING: f64 = 0.006;
/// Which part of its distance from the opening a price goes back at each step.
const PULL: f64 = 0.01;
/// Every server tells the same story.
const SEED: u64 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(seed: u64, steps: usize) -> Vec<(usize, Value)> {
        let mut market = Market::new(seed);
        (0..steps)
            .map(|_| {
                let index = market.step();
                (index, market.quote(index).1)
            })
            .collect()
    }

    #[test]
    fn a_seed_repeats_its_walk() {
        assert_eq!(walk(7, 1000), walk(7, 1000));
        assert_ne!(walk(7, 1000), walk(8, 1000));
    }

    #[test]
    fn every_symbol_moves_and_none_walks_away() {
        let steps = walk(SEED, 100_000);
        for (index, (symbol, open)) in OPENINGS.into_iter().enumerate() {
            let own = steps.iter().filter(|(moved, _)| *moved == index);
            let prices: Vec<_> = own
                .filter_map(|(_, quote)| quote["price"].as_f64())
                .collect();
            assert!(
                prices.len() > 10_000,
                "{symbol} moved {} times",
                prices.len()
            );
            assert!(prices.windows(2).any(|pair| pair[0] != pair[1]), "{symbol}");
            assert!(
                prices.iter().all(|price| (price / open - 1.0).abs() < 0.1),
                "{symbol} left its range"
            );
        }
    }

    #[test]
    fn a_quote_has_as_many_digits_as_one_reads() {
        let mut market = Market::new(SEED);
        market.prices = vec![1.234_567_89; OPENINGS.len()];
        let price = |index| market.quote(index).1["price"].clone();
        assert_eq!(price(0), json!(1.23));
        assert_eq!(price(3), json!(1.2346));
    }
}
