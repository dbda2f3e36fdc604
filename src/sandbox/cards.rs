//! The test cards (Stripe's documentation, "Testing"), as far as they mean something here, and one of our own.

/// What a card does when it is charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Card {
    /// Pays.
    Pays,
    /// Is declined, with Stripe's code and words.
    Declined {
        /// The error code.
        code: &'static str,
        /// The decline code.
        decline: &'static str,
        /// For people.
        message: &'static str,
    },
    /// Its bank asks the payer each time (3-D Secure).
    Asks,
    /// Pays on the page, but not when charged without its owner.
    PaysOnlyHere,
    /// Pays, but the money takes three seconds: it plays a bank transfer.
    Slow,
}

const DECLINED: Card =
    Card::Declined { code: "card_declined", decline: "generic_decline", message: "Your card was declined." };

/// The card of a number; `None` when it is no test card.
pub(super) fn card(number: &str) -> Option<Card> {
    Some(match number {
        "4242424242424242" => Card::Pays,
        "4000000000000002" => DECLINED,
        "4000000000009995" => Card::Declined {
            code: "card_declined",
            decline: "insufficient_funds",
            message: "Your card has insufficient funds.",
        },
        "4000000000000069" => {
            Card::Declined { code: "expired_card", decline: "expired_card", message: "Your card has expired." }
        }
        "4000002500003155" | "4000002760003184" => Card::Asks,
        "4000000000000341" => Card::PaysOnlyHere,
        "4000000000001000" => Card::Slow,
        _ => return None,
    })
}

impl Card {
    /// The same card charged without its owner.
    pub(super) fn off_session(self) -> Card {
        match self {
            Card::PaysOnlyHere => DECLINED,
            Card::Asks => Card::Declined {
                code: "authentication_required",
                decline: "authentication_required",
                message: "Your card was declined. This transaction requires authentication.",
            },
            other => other,
        }
    }
}

/// What the page says about the cards: number and effect.
pub(super) const ON_OFFER: [(&str, &str); 8] = [
    ("4242 4242 4242 4242", "is accepted"),
    ("4000 0000 0000 0002", "is declined"),
    ("4000 0000 0000 9995", "has insufficient funds"),
    ("4000 0000 0000 0069", "has expired"),
    ("4000 0025 0000 3155", "makes the bank ask you (3-D Secure)"),
    ("4000 0000 0000 0341", "is accepted here and declined when charged later"),
    ("4000 0000 0000 1000", "is slow: the money arrives three seconds later"),
    ("anything else", "is no test card"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_card_on_offer_is_one() {
        for (number, _) in &ON_OFFER[..7] {
            assert!(card(&number.replace(' ', "")).is_some(), "{number}");
        }
        assert_eq!(card("4111111111111111"), None);
        assert_eq!(card("4000000000000341").map(Card::off_session), Some(DECLINED));
        assert_eq!(card("4242424242424242").map(Card::off_session), Some(Card::Pays));
    }
}
