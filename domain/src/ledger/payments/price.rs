//! What any sum buys: the packages' own prices, joined by straight lines.
//!
//! Up to the smallest package a dollar buys 100 credits, as in it. Between two packages each further dollar buys the
//! same share of the way to the next. Above the largest, a dollar buys what it does in the largest.

use super::packages::PACKAGES;
use crate::{Credits, Error, Result};

/// The smallest purchase, in US cents.
pub const LEAST_CENTS: i64 = 500;
/// The largest purchase, in US cents.
pub const MOST_CENTS: i64 = 1_000_000;

/// The credits that `cents` US cents buy, rounded down to 0.01.
///
/// # Errors
/// [`Error::Validation`] of `amount` outside [`LEAST_CENTS`] to [`MOST_CENTS`].
pub fn credits_for(cents: i64) -> Result<Credits> {
    if !(LEAST_CENTS..=MOST_CENTS).contains(&cents) {
        return Err(Error::field("amount", "must be from $5.00 to $10,000.00"));
    }
    // (cents, hundredths of credits) of each corner of the curve.
    let corners = std::iter::once((0, 0)).chain(PACKAGES.iter().map(|p| (p.cents, p.credits * 100)));
    let mut below = (0, 0);
    for corner in corners {
        if cents <= corner.0 {
            let share =
                i128::from(cents - below.0) * i128::from(corner.1 - below.1) / i128::from((corner.0 - below.0).max(1));
            return Ok(Credits::from_cents(below.1 + i64::try_from(share).unwrap_or(0)));
        }
        below = corner;
    }
    let beyond = i128::from(cents) * i128::from(below.1) / i128::from(below.0);
    Ok(Credits::from_cents(i64::try_from(beyond).unwrap_or(0)))
}

/// A price for people: `$40.00`, of US cents.
pub fn dollars(cents: i64) -> String {
    format!("${}", Credits::from_cents(cents).grouped())
}

/// US cents of a typed amount such as `25`, `25.50` or `$25`.
///
/// # Errors
/// [`Error::Validation`] of `amount`.
pub fn cents_of(text: &str) -> Result<i64> {
    let amount: Credits =
        text.trim().trim_start_matches('$').parse().map_err(|e| Error::field("amount", format!("{e}")))?;
    Ok(amount.cents())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_packages_lie_on_the_curve() {
        for package in PACKAGES {
            assert_eq!(credits_for(package.cents).unwrap(), package.credits(), "{}", package.name);
        }
        let bought = [500, 2_500, 9_500, 30_000].map(|c| credits_for(c).unwrap().to_string());
        assert_eq!(bought, ["500.00", "3000.00", "15000.00", "50000.00"]);
    }

    #[test]
    fn sums_outside_the_limits_are_refused() {
        for cents in [i64::MIN, -500, 0, 499, 1_000_001, i64::MAX] {
            assert!(credits_for(cents).is_err(), "{cents}");
        }
        assert_eq!([cents_of("$25").unwrap(), cents_of(" 7.5 ").unwrap()], [2_500, 750]);
        assert!(cents_of("7.555").is_err() && cents_of("five").is_err());
    }

    proptest! {
        #[test]
        fn more_money_never_buys_less(a in LEAST_CENTS..=MOST_CENTS, b in LEAST_CENTS..=MOST_CENTS) {
            let (low, high) = (a.min(b), a.max(b));
            prop_assert!(credits_for(low).unwrap() <= credits_for(high).unwrap());
        }
    }
}
