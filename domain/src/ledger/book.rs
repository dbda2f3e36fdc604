//! Movements decided in memory, in order, over balances that are locked: exactly as one by one in the database, but with
//! one statement a table for any number of them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::EntryKind;
use super::chain::{self, Content};
use crate::{Credits, UserId};

/// An account whose balance is locked, as it was read and as it will be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Account {
    pub balance: Credits,
    /// How many rows it has.
    pub entries: i64,
    /// The hash of its last row; empty before the first.
    pub chain: Vec<u8>,
    /// What is to be added to its totals.
    pub earned: Credits,
    pub spent: Credits,
    /// What its holds contained that ended.
    pub released: Credits,
    pub touched: bool,
}

impl Account {
    pub(super) fn new(balance: Credits, entries: i64, chain: Vec<u8>) -> Account {
        Account {
            balance,
            entries,
            chain,
            earned: Credits::ZERO,
            spent: Credits::ZERO,
            released: Credits::ZERO,
            touched: false,
        }
    }
}

/// A ledger row that is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NewRow {
    pub id: Uuid,
    pub user: UserId,
    pub kind: EntryKind,
    pub amount: Credits,
    pub balance_after: Credits,
    pub reference: String,
    pub description: String,
    /// As PostgreSQL writes a jsonb.
    pub metadata: String,
    pub created_at: DateTime<Utc>,
    pub position: i64,
    pub hash: [u8; 32],
}

/// One account's part of a movement.
#[derive(Clone, Debug)]
pub(super) struct Leg {
    pub user: UserId,
    pub kind: EntryKind,
    pub amount: Credits,
    pub description: String,
}

/// Several rows that are written together or not at all.
#[derive(Clone, Debug)]
pub(super) struct Movement {
    pub reference: String,
    pub metadata: String,
    pub legs: Vec<Leg>,
}

/// Why a movement was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// This account would fall below zero.
    Insufficient(UserId),
    /// This account was not locked.
    Unknown(UserId),
}

/// The balances that are locked, and the rows that follow from the movements made on them so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Book {
    pub accounts: BTreeMap<UserId, Account>,
    pub rows: Vec<NewRow>,
}

impl Book {
    pub(super) fn new(accounts: impl IntoIterator<Item = (UserId, Account)>) -> Book {
        Book { accounts: accounts.into_iter().collect(), rows: Vec::new() }
    }

    /// Makes a movement, or refuses it and changes nothing.
    pub(super) fn post(&mut self, movement: Movement, now: DateTime<Utc>) -> Result<(), Refused> {
        // In the order of the legs, as they would be posted one by one: a debit may rest on a credit before it.
        for (n, leg) in movement.legs.iter().enumerate() {
            let before = self.accounts.get(&leg.user).ok_or(Refused::Unknown(leg.user))?.balance;
            let own = movement.legs[..=n].iter().filter(|other| other.user == leg.user);
            if (before + own.map(|other| other.amount).sum()).is_negative() {
                return Err(Refused::Insufficient(leg.user));
            }
        }
        // PostgreSQL keeps microseconds; the hash must be of what is kept.
        let created_at = DateTime::from_timestamp_micros(now.timestamp_micros()).unwrap_or(now);
        for leg in movement.legs {
            let Some(account) = self.accounts.get_mut(&leg.user) else { return Err(Refused::Unknown(leg.user)) };
            account.balance = account.balance + leg.amount;
            account.entries += 1;
            account.touched = true;
            let content = Content {
                user: leg.user,
                position: account.entries,
                kind: leg.kind.as_str(),
                amount: leg.amount,
                balance_after: account.balance,
                created_at,
                reference: Some(&movement.reference),
                description: &leg.description,
                metadata: &movement.metadata,
            };
            let hash = chain::hash(&account.chain, &content);
            account.chain = hash.to_vec();
            self.rows.push(NewRow {
                // Ids that rise with time fall on the same pages of the index.
                id: Uuid::now_v7(),
                user: leg.user,
                kind: leg.kind,
                amount: leg.amount,
                balance_after: account.balance,
                reference: movement.reference.clone(),
                description: leg.description,
                metadata: movement.metadata.clone(),
                created_at,
                position: account.entries,
                hash,
            });
        }
        Ok(())
    }

    /// Adds to what an account has earned.
    pub(super) fn add_earned(&mut self, user: UserId, earned: Credits) {
        if let Some(account) = self.accounts.get_mut(&user) {
            account.earned = account.earned + earned;
            account.touched = true;
        }
    }

    /// Takes an ended hold off what an account holds, and adds what was paid of it to what it has spent.
    pub(super) fn release(&mut self, user: UserId, held: Credits, spent: Credits) {
        if let Some(account) = self.accounts.get_mut(&user) {
            account.released = account.released + held;
            account.spent = account.spent + spent;
            account.touched = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const USERS: u128 = 6;

    fn user(n: u128) -> UserId {
        UserId(Uuid::from_u128(n))
    }

    fn leg(to: u128, cents: i64) -> Leg {
        Leg { user: user(to), kind: EntryKind::TaskCredit, amount: Credits::from_cents(cents), description: "d".into() }
    }

    /// A transfer with a fee, as a settlement is one: refused as a whole when the payer has too little.
    fn transfer((from, to, cents): (u128, u128, i64)) -> Movement {
        let fee = Credits::from_cents(cents).fee().cents();
        let legs = vec![leg(from, -cents), leg(to, cents), leg(to, -fee), leg(0, fee)];
        Movement { reference: "r".into(), metadata: "{}".into(), legs }
    }

    /// What was decided, the balances at the end, and the rows: account, amount, balance after.
    type Outcome = (Vec<bool>, Vec<i64>, Vec<(u128, i64, i64)>);

    /// The plain reference: whole numbers, one movement after the other, nothing clever.
    fn reference(start: &[i64], transfers: &[(u128, u128, i64)]) -> Outcome {
        let mut balances = start.to_vec();
        let (mut decided, mut rows) = (Vec::new(), Vec::new());
        for (from, to, cents) in transfers {
            let (f, t) = (usize::try_from(*from).unwrap(), usize::try_from(*to).unwrap());
            if balances[f] < *cents {
                decided.push(false);
                continue;
            }
            decided.push(true);
            let fee = (cents * 5 + 50) / 100;
            for (who, amount) in [(f, -cents), (t, *cents), (t, -fee), (0, fee)] {
                balances[who] += amount;
                rows.push((who as u128, amount, balances[who]));
            }
        }
        (decided, balances, rows)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 10_000, ..ProptestConfig::default() })]

        #[test]
        fn a_batch_decides_as_one_by_one(
            start in prop::collection::vec(0_i64..5_000, USERS as usize),
            transfers in prop::collection::vec((0..USERS, 0..USERS, 1_i64..3_000), 0..24),
        ) {
            let accounts = start.iter().enumerate()
                .map(|(n, cents)| (user(n as u128), Account::new(Credits::from_cents(*cents), 0, Vec::new())));
            let mut book = Book::new(accounts);
            let decided: Vec<bool> =
                transfers.iter().map(|t| book.post(transfer(*t), Utc::now()).is_ok()).collect();
            let (want_decided, want_balances, want_rows) = reference(&start, &transfers);
            prop_assert_eq!(decided, want_decided);
            let balances: Vec<i64> = book.accounts.values().map(|a| a.balance.cents()).collect();
            prop_assert_eq!(balances, want_balances);
            let rows: Vec<(u128, i64, i64)> = book.rows.iter()
                .map(|r| (r.user.0.as_u128(), r.amount.cents(), r.balance_after.cents())).collect();
            prop_assert_eq!(rows, want_rows);
            // Each account's rows are numbered from 1 without gaps, and the last hash is the account's.
            for (id, account) in &book.accounts {
                let own: Vec<&NewRow> = book.rows.iter().filter(|r| r.user == *id).collect();
                prop_assert!(own.iter().enumerate().all(|(i, r)| r.position == i as i64 + 1));
                prop_assert_eq!(own.last().map(|r| r.hash.to_vec()).unwrap_or_default(), account.chain.clone());
            }
        }
    }

    #[test]
    fn an_account_that_is_not_locked_is_refused() {
        let mut book = Book::new([(user(1), Account::new(Credits::from_cents(100), 0, Vec::new()))]);
        assert_eq!(book.post(transfer((1, 2, 50)), Utc::now()), Err(Refused::Unknown(user(2))));
        assert!(book.rows.is_empty() && !book.accounts[&user(1)].touched);
    }
}
