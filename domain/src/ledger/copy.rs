//! Ledger rows in PostgreSQL's binary COPY format (PostgreSQL documentation, COPY, "Binary Format").

use super::book::NewRow;

/// Microseconds from the Unix epoch to PostgreSQL's, 2000-01-01.
const EPOCH_MICROS: i64 = 946_684_800_000_000;

/// The columns, in the order in which [`rows`] writes them.
pub(super) const COLUMNS: &str =
    "id, user_id, type, amount, balance_after, reference_id, description, metadata, created_at, position, hash";

/// A whole COPY: header, rows, trailer.
pub(super) fn rows(rows: &[NewRow]) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + rows.len() * 384);
    out.extend_from_slice(b"PGCOPY\n\xff\r\n\0");
    out.extend_from_slice(&[0; 8]);
    for row in rows {
        out.extend_from_slice(&11_i16.to_be_bytes());
        field(&mut out, row.id.as_bytes());
        field(&mut out, row.user.0.as_bytes());
        field(&mut out, row.kind.as_str().as_bytes());
        numeric(&mut out, row.amount.cents());
        numeric(&mut out, row.balance_after.cents());
        field(&mut out, row.reference.as_bytes());
        field(&mut out, row.description.as_bytes());
        // jsonb goes as text behind a version byte.
        length(&mut out, row.metadata.len() + 1);
        out.push(1);
        out.extend_from_slice(row.metadata.as_bytes());
        field(&mut out, &(row.created_at.timestamp_micros() - EPOCH_MICROS).to_be_bytes());
        field(&mut out, &row.position.to_be_bytes());
        field(&mut out, &row.hash);
    }
    out.extend_from_slice(&(-1_i16).to_be_bytes());
    out
}

fn length(out: &mut Vec<u8>, n: usize) {
    // A row's fields are far below 2 GiB: descriptions are titles, metadata two ids.
    out.extend_from_slice(&i32::try_from(n).unwrap_or(i32::MAX).to_be_bytes());
}

fn field(out: &mut Vec<u8>, bytes: &[u8]) {
    length(out, bytes.len());
    out.extend_from_slice(bytes);
}

/// A `numeric` of scale 2 (PostgreSQL's numeric_recv): base-10,000 digits, the weight of the first, sign, scale.
fn numeric(out: &mut Vec<u8>, cents: i64) {
    let magnitude = cents.unsigned_abs();
    // The last base-10,000 digit holds the two decimals and two zeros.
    let mut digits = [0_u16; 6];
    let mut n = 0;
    let mut rest = magnitude / 100;
    let fraction = u16::try_from(magnitude % 100 * 100).unwrap_or(0);
    while rest > 0 {
        digits[n] = u16::try_from(rest % 10_000).unwrap_or(0);
        rest /= 10_000;
        n += 1;
    }
    let with_fraction = usize::from(fraction > 0);
    let count = n + with_fraction;
    length(out, 8 + 2 * count);
    out.extend_from_slice(&u16::try_from(count).unwrap_or(0).to_be_bytes());
    let weight = i16::try_from(n).unwrap_or(0) - 1;
    out.extend_from_slice(&weight.to_be_bytes());
    out.extend_from_slice(&(if cents < 0 { 0x4000_u16 } else { 0 }).to_be_bytes());
    out.extend_from_slice(&2_u16.to_be_bytes());
    for digit in digits[..n].iter().rev() {
        out.extend_from_slice(&digit.to_be_bytes());
    }
    if with_fraction == 1 {
        out.extend_from_slice(&fraction.to_be_bytes());
    }
}
