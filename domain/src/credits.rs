//! Amounts of credits: exact decimals with two places, never a float.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Neg, Sub};
use std::str::FromStr;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

/// An amount of credits with exactly two decimals; may be negative (a ledger row's debit).
///
/// In JSON it is a string (`"10.00"`), in the database `numeric(12,2)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, sqlx::Type)]
#[sqlx(transparent)]
pub struct Credits(Decimal);

/// Why a text is not an amount of credits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CreditsError {
    /// Not a decimal number.
    #[error("must be a number such as 10 or 10.50")]
    NotANumber,
    /// More than two decimals: rounding it silently would charge something else than was typed.
    #[error("has more than two decimals")]
    TooPrecise,
    /// Beyond what `numeric(12,2)` holds.
    #[error("is too large")]
    TooLarge,
}

impl Credits {
    /// No credits.
    pub const ZERO: Credits = Credits(Decimal::ZERO);
    /// What every new account is granted (design rule 3).
    pub const INITIAL_GRANT: Credits = Credits(Decimal::from_parts(100_000, 0, 0, false, 2));

    /// A thousand times the grant: the dearest a task may be.
    pub(crate) const INITIAL_GRANT_TIMES_1000: Credits = Credits(Decimal::from_parts(100_000_000, 0, 0, false, 2));

    /// Whole credits and hundredths from an integer of hundredths.
    pub fn from_cents(cents: i64) -> Self {
        Credits(Decimal::new(cents, 2))
    }

    /// The amount in hundredths. Amounts fit `numeric(12,2)`, so this never overflows.
    pub fn cents(self) -> i64 {
        let value = self.decimal();
        i64::try_from(value.mantissa()).unwrap_or(if value.is_sign_negative() { i64::MIN } else { i64::MAX })
    }

    /// The exact decimal, scale 2.
    pub fn decimal(self) -> Decimal {
        let mut value = self.0;
        value.rescale(2);
        value
    }

    /// The platform's share of this price: 5 %, half-up to 0.01 (design rule 5). The ledger's SQL computes the
    /// same (`ledger.fee`); a test holds the two against each other.
    pub fn fee(self) -> Credits {
        let share = self.0 * Decimal::new(5, 2);
        Credits(share.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero))
    }

    /// Whether this is above zero.
    pub fn is_positive(self) -> bool {
        self.0 > Decimal::ZERO
    }

    /// Whether this is below zero.
    pub fn is_negative(self) -> bool {
        self.0 < Decimal::ZERO
    }

    /// For people: thousands grouped, two decimals, a true minus sign: `1,234.50`, `−10.00`.
    pub fn grouped(self) -> String {
        let plain = self.decimal().abs().to_string();
        let (whole, cents) = plain.split_once('.').unwrap_or((&plain, "00"));
        let mut out = String::new();
        if self.is_negative() {
            out.push('−');
        }
        for (i, digit) in whole.chars().enumerate() {
            if i > 0 && (whole.len() - i).is_multiple_of(3) {
                out.push(',');
            }
            out.push(digit);
        }
        out.push('.');
        out.push_str(cents);
        out
    }
}

impl fmt::Display for Credits {
    /// Plain, as the API writes it: `1234.50`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.decimal())
    }
}

impl FromStr for Credits {
    type Err = CreditsError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let value = Decimal::from_str_exact(text.trim()).map_err(|_| CreditsError::NotANumber)?;
        if value.normalize().scale() > 2 {
            return Err(CreditsError::TooPrecise);
        }
        if value.abs() >= Decimal::from(10_000_000_000_i64) {
            return Err(CreditsError::TooLarge);
        }
        Ok(Credits(value))
    }
}

impl Serialize for Credits {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Credits {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Add for Credits {
    type Output = Credits;
    fn add(self, other: Credits) -> Credits {
        Credits(self.0 + other.0)
    }
}

impl Sub for Credits {
    type Output = Credits;
    fn sub(self, other: Credits) -> Credits {
        Credits(self.0 - other.0)
    }
}

impl Neg for Credits {
    type Output = Credits;
    fn neg(self) -> Credits {
        Credits(-self.0)
    }
}

impl Sum for Credits {
    fn sum<I: Iterator<Item = Credits>>(items: I) -> Credits {
        items.fold(Credits::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_see_groups_and_two_decimals() {
        assert_eq!(Credits::from_cents(123_456_789).grouped(), "1,234,567.89");
        assert_eq!(Credits::from_cents(100_000).grouped(), "1,000.00");
        assert_eq!(Credits::from_cents(-1_000).grouped(), "−10.00");
        assert_eq!("7".parse::<Credits>().unwrap().grouped(), "7.00");
        assert_eq!("0.5".parse::<Credits>().unwrap().to_string(), "0.50");
    }

    #[test]
    fn what_is_not_an_amount_is_refused_with_the_reason() {
        assert_eq!("ten".parse::<Credits>(), Err(CreditsError::NotANumber));
        assert_eq!("".parse::<Credits>(), Err(CreditsError::NotANumber));
        assert_eq!("1.005".parse::<Credits>(), Err(CreditsError::TooPrecise));
        assert_eq!("1.500".parse::<Credits>().unwrap(), Credits::from_cents(150));
        assert_eq!("10000000000".parse::<Credits>(), Err(CreditsError::TooLarge));
    }

    #[test]
    fn the_fee_is_five_percent_half_up() {
        for (price, fee) in [("10", "0.50"), ("0.10", "0.01"), ("0.09", "0.00"), ("0.30", "0.02"), ("1.90", "0.10")] {
            assert_eq!(price.parse::<Credits>().unwrap().fee().to_string(), fee, "fee of {price}");
        }
    }
}
