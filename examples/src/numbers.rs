//! Numbers as people and JSON read them.

/// Digits in groups of three: 200,000.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `n` and the noun in the right number: "1 row", "1,200 rows".
pub(crate) fn counted(n: usize, one: &str, many: &str) -> String {
    format!("{} {}", grouped(n as u64), if n == 1 { one } else { many })
}

/// A share of 1 in whole per cent, never rounded to a certainty that it is not: 0.998 is "99 %", 0.001 is "1 %".
pub(crate) fn percent(share: f64) -> String {
    let rounded = (share * 100.0).round();
    let shown = if share > 0.0 && share < 1.0 { rounded.clamp(1.0, 99.0) } else { rounded };
    format!("{shown} %")
}

/// `x` with at most `places` decimals, so that JSON does not carry noise digits.
pub(crate) fn rounded(x: f64, places: i32) -> f64 {
    let scale = 10_f64.powi(places);
    let scaled = x * scale;
    // Beyond 2^53 a double has no decimals to round, and scaling could overflow.
    if scaled.abs() < 9e15 { scaled.round() / scale } else { x }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_three() {
        for (n, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (200_000, "200,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(n), text);
        }
        assert_eq!(counted(1, "row", "rows"), "1 row");
        assert_eq!(counted(1_200, "row", "rows"), "1,200 rows");
    }

    #[test]
    fn per_cent_is_certain_only_when_it_is() {
        assert_eq!([0.0, 0.001, 0.5, 0.998, 1.0].map(percent), ["0 %", "1 %", "50 %", "99 %", "100 %"]);
    }

    #[test]
    fn rounding_keeps_what_it_cannot_round() {
        assert_eq!(rounded(2.0 / 3.0, 3), 0.667);
        assert_eq!(rounded(1e300, 3), 1e300);
    }
}
