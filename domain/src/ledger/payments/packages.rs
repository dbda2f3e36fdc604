//! What can be bought.

use super::price::dollars;
use crate::Credits;

/// A package of credits at a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Package {
    /// Its name in URLs and in `purchases.package`.
    pub id: &'static str,
    /// Its name for people.
    pub name: &'static str,
    /// Whole credits.
    pub credits: i64,
    /// The price in US cents.
    pub cents: i64,
}

/// The packages on sale.
pub const PACKAGES: [Package; 3] = [
    Package { id: "starter", name: "Starter", credits: 1_000, cents: 1_000 },
    Package { id: "pro", name: "Pro", credits: 5_000, cents: 4_000 },
    Package { id: "enterprise", name: "Enterprise", credits: 25_000, cents: 15_000 },
];

impl Package {
    /// The package of an id.
    pub fn find(id: &str) -> Option<&'static Package> {
        PACKAGES.iter().find(|p| p.id == id)
    }

    /// The credits it brings.
    pub fn credits(&self) -> Credits {
        Credits::from_cents(self.credits * 100)
    }

    /// The price for people: `$40.00`.
    pub fn price(&self) -> String {
        dollars(self.cents)
    }

    /// What 100 credits cost in it: `$0.80`.
    pub fn price_per_hundred(&self) -> String {
        dollars(self.cents * 100 / self.credits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_read_as_money() {
        let pro = Package::find("pro").unwrap();
        assert_eq!((pro.price().as_str(), pro.price_per_hundred().as_str()), ("$40.00", "$0.80"));
        assert_eq!(pro.credits().grouped(), "5,000.00");
        assert_eq!(Package::find("gratis"), None);
    }
}
