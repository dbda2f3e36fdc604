//! What a ring of accounts that hire and praise one bad agent moves its trust score by, and what that costs. In memory,
//! with a fixed seed; the sums are the program's own.
//! `cargo run --profile measure -p bench --bin collusion`

use bench::say;
use chrono::{DateTime, TimeDelta, Utc};
use domain::trust::formula::{self, Evidence, PRIOR};
use domain::trust::voice::{HALF_LIFE, Heard, Observed, Pair, standing};

/// How long the honest work, and from when on the ring does.
const DAYS: i64 = 90;
const RING_FROM: i64 = 60;
const HONEST: usize = 40;
/// In credits: a task, the platform's share of it, what each account is granted, and what makes a buyer of it.
const PRICE: f64 = 10.0;
const FEE: f64 = 0.05;
const GRANT: f64 = 1_000.0;
const BUYS: f64 = 500.0;
const CREDITS_A_DOLLAR: f64 = 100.0;

fn day(days: f64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::milliseconds((days * 86_400_000.0) as i64)
}

/// A task and its rating.
#[derive(Clone, Copy)]
struct Job {
    at: f64,
    payer: usize,
    bought: bool,
    done: bool,
    seconds: f64,
    stars: u8,
}

/// SplitMix64: small, and the same for ever.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// What honest payers, all of whom have bought credits, make of an agent: one to seven tasks each.
fn honest(success: f64, seconds: f64, stars: u8) -> Vec<Job> {
    let mut dice = Dice(7);
    let mut jobs = Vec::new();
    for payer in 0..HONEST {
        for _ in 0..1 + (dice.roll() * 7.0) as usize {
            let (at, done) = (dice.roll() * DAYS as f64, dice.roll() < success);
            jobs.push(Job { at, payer, bought: true, done, seconds, stars });
        }
    }
    jobs.sort_by(|a, b| a.at.total_cmp(&b.at));
    jobs
}

/// A ring: its accounts, and the credits that it buys.
#[derive(Clone, Copy)]
struct Ring {
    accounts: usize,
    bought: f64,
}

impl Ring {
    /// Each task costs the ring its fee; the rest comes back to it, and that way back is counted as free.
    fn tasks(self) -> usize {
        ((self.bought + GRANT * self.accounts as f64) / (PRICE * FEE)) as usize
    }

    /// How many of its accounts it can make buyers of.
    fn buyers(self) -> usize {
        ((self.bought / BUYS) as usize).min(self.accounts)
    }

    fn jobs(self) -> impl Iterator<Item = Job> {
        let tasks = self.tasks();
        (0..tasks).map(move |n| Job {
            at: RING_FROM as f64 + (DAYS - RING_FROM) as f64 * n as f64 / tasks as f64,
            payer: HONEST + n % self.accounts,
            bought: n % self.accounts < self.buyers(),
            done: true,
            seconds: 1.0,
            stars: 5,
        })
    }
}

/// One way to keep score.
trait Score {
    fn sees(&mut self, job: &Job);
    fn score(&self) -> f64;
}

/// Ours.
#[derive(Default)]
struct Voices {
    evidence: Evidence,
    pairs: Vec<Pair>,
}

impl Score for Voices {
    fn sees(&mut self, job: &Job) {
        if self.pairs.len() <= job.payer {
            self.pairs.resize(job.payer + 1, Pair::default());
        }
        let (pair, now) = (&mut self.pairs[job.payer], day(job.at));
        let speed = job.done.then(|| formula::speed_of(TimeDelta::milliseconds((job.seconds * 1_000.0) as i64)));
        let task = Observed { paid: true, done: f64::from(u8::from(job.done)), speed };
        self.evidence.hear_tasks(pair, job.bought, &[task], now);
        self.evidence.hear_rating(pair, job.bought, formula::rating_of(job.stars), now);
    }

    fn score(&self) -> f64 {
        formula::score(&self.evidence, day(0.0), day(DAYS as f64))
    }
}

/// The rule that was tried first: a payer's kth task weighs 1/k times its standing, and a rating is a whole voice.
#[derive(Default)]
struct Harmonic {
    done: Heard,
    speed: Heard,
    rating: Heard,
    as_of: f64,
    /// Tasks, and the contribution to `rating`, of each payer, as of a day.
    pairs: Vec<(f64, Heard, f64)>,
}

fn left(days: f64) -> f64 {
    0.5_f64.powf(days / HALF_LIFE.num_days() as f64)
}

impl Score for Harmonic {
    fn sees(&mut self, job: &Job) {
        if self.pairs.len() <= job.payer {
            self.pairs.resize(job.payer + 1, (0.0, Heard::default(), 0.0));
        }
        let factor = left(job.at - self.as_of);
        for heard in [&mut self.done, &mut self.speed, &mut self.rating] {
            heard.sum *= factor;
            heard.weight *= factor;
        }
        self.as_of = job.at;
        let (tasks, voice, as_of) = &mut self.pairs[job.payer];
        let factor = left(job.at - *as_of);
        *tasks = *tasks * factor + 1.0;
        let weight = standing(job.bought) / *tasks;
        self.done.weight += weight;
        if job.done {
            self.done.sum += weight;
            self.speed.weight += weight;
            self.speed.sum += weight * (5.0 / job.seconds).min(1.0);
        }
        let new = Heard { sum: standing(job.bought) * formula::rating_of(job.stars), weight: standing(job.bought) };
        self.rating.sum += new.sum - voice.sum * factor;
        self.rating.weight += new.weight - voice.weight * factor;
        (*voice, *as_of) = (new, job.at);
    }

    fn score(&self) -> f64 {
        let part = |h: Heard| 100.0 * (h.sum + PRIOR / 2.0) / (h.weight + PRIOR);
        let tenure = 50.0 + 50.0 * DAYS as f64 / 365.0 * self.done.sum / (self.done.sum + PRIOR);
        0.40 * part(self.done) + 0.20 * part(self.speed) + 0.25 * part(self.rating) + 0.15 * tenure
    }
}

/// The formula of the earlier system: shares and means over everything that ever happened.
#[derive(Default)]
struct Naive {
    ended: f64,
    done: f64,
    seconds: f64,
    stars: f64,
}

impl Score for Naive {
    fn sees(&mut self, job: &Job) {
        self.ended += 1.0;
        self.stars += f64::from(job.stars);
        if job.done {
            self.done += 1.0;
            self.seconds += job.seconds;
        }
    }

    fn score(&self) -> f64 {
        let speed = (100.0 - 50.0 * (self.seconds / self.done) / 300.0).clamp(0.0, 100.0);
        let quality = (self.stars / self.ended - 1.0) / 4.0 * 100.0;
        0.40 * 100.0 * self.done / self.ended + 0.20 * speed + 0.25 * quality + 0.15 * DAYS as f64 / 365.0 * 100.0
    }
}

/// The scores of all three after these jobs, which come in two streams, each in order of time.
fn scores(honest: &[Job], ring: impl Iterator<Item = Job>) -> [f64; 3] {
    let mut all: [Box<dyn Score>; 3] =
        [Box::new(Voices::default()), Box::new(Harmonic::default()), Box::new(Naive::default())];
    let (mut ring, mut honest) = (ring.peekable(), honest.iter().copied().peekable());
    loop {
        let next = match (honest.peek(), ring.peek()) {
            (Some(h), Some(r)) if h.at <= r.at => honest.next(),
            (Some(_), None) => honest.next(),
            (_, Some(_)) => ring.next(),
            (None, None) => break,
        };
        let Some(job) = next else { break };
        all.iter_mut().for_each(|score| score.sees(&job));
    }
    all.map(|score| score.score())
}

fn main() {
    let bad = honest(0.6, 60.0, 2);
    let level = scores(&bad, std::iter::empty());
    let good = scores(&honest(0.98, 3.0, 5), std::iter::empty());
    say(&format!("{HONEST} honest payers, {} tasks in {DAYS} days. Ours, 1/k, naive:", bad.len()));
    say(&format!("the bad agent {:.1}, {:.1}, {:.1};", level[0], level[1], level[2]));
    say(&format!("a good one    {:.1}, {:.1}, {:.1}.\n", good[0], good[1], good[2]));
    say("| Accounts | Bought | Tasks | Paid in fees | Ours | 1/k | Naive |");
    say("|---|---|---|---|---|---|---|");
    for accounts in [1, 5, 20, 100, 1_000] {
        for bought in [0.0, 10_000.0, 100_000.0] {
            let ring = Ring { accounts, bought };
            let with = scores(&bad, ring.jobs());
            say(&format!(
                "| {accounts} | ${:.0} | {} | {:.0} credits | {:+.1} | {:+.1} | {:+.1} |",
                bought / CREDITS_A_DOLLAR,
                ring.tasks(),
                ring.tasks() as f64 * PRICE * FEE,
                with[0] - level[0],
                with[1] - level[1],
                with[2] - level[2],
            ));
        }
    }
    say("\n| Buyers | Bought | The bad agent | An agent without a past |");
    say("|---|---|---|---|");
    for buyers in [0, 1, 2, 5, 10, 20, 40, 100, 200] {
        let last =
            |n: usize, bought| Job { at: DAYS as f64, payer: HONEST + n, bought, done: true, seconds: 1.0, stars: 5 };
        // As many accounts that bought nothing beside them as can be heard.
        let ring = || (0..buyers).map(move |n| last(n, true)).chain((buyers..buyers + 8).map(move |n| last(n, false)));
        say(&format!(
            "| {buyers} | ${:.0} | {:+.1} | {:+.1} |",
            buyers as f64 * BUYS / CREDITS_A_DOLLAR,
            scores(&bad, ring())[0] - level[0],
            scores(&[], ring())[0] - 50.0,
        ));
    }
}
