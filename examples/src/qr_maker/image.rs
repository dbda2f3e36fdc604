//! A QR code as a black-and-white PNG.

use png::{BitDepth, ColorType, Encoder, EncodingError};
use qrcode::{Color, QrCode};

/// Light modules around the code that readers need (ISO/IEC 18004).
const QUIET_ZONE: usize = 4;

/// An image file.
pub(super) struct Image {
    /// Width and height in pixels.
    pub side: usize,
    pub png: Vec<u8>,
}

/// The code with its quiet zone, `scale` pixels a module, one bit a pixel.
pub(super) fn render(code: &QrCode, scale: usize) -> Result<Image, EncodingError> {
    let side = (code.width() + 2 * QUIET_ZONE) * scale;
    let row_bytes = side.div_ceil(8);
    // A set bit is white in one-bit greyscale.
    let mut pixels = vec![0xff_u8; row_bytes * side];
    for y in 0..code.width() {
        for x in (0..code.width()).filter(|x| code[(*x, y)] == Color::Dark) {
            let (left, top) = ((x + QUIET_ZONE) * scale, (y + QUIET_ZONE) * scale);
            for row in top..top + scale {
                for column in left..left + scale {
                    pixels[row * row_bytes + column / 8] &= !(0x80 >> (column % 8));
                }
            }
        }
    }
    let mut png = Vec::new();
    let edge = u32::try_from(side).map_err(|_| EncodingError::LimitsExceeded)?;
    let mut encoder = Encoder::new(&mut png, edge, edge);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::One);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels)?;
    writer.finish()?;
    Ok(Image { side, png })
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use qrcode::EcLevel;

    use super::*;

    /// The dark modules of an image, quiet zone included, read from the middle of each.
    fn modules(image: &Image, scale: usize) -> Vec<Vec<bool>> {
        let mut reader = png::Decoder::new(Cursor::new(&image.png)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width as usize, info.height as usize), (image.side, image.side));
        let dark = |x: usize, y: usize| pixels[y * info.line_size + x / 8] & (0x80 >> (x % 8)) == 0;
        let count = image.side / scale;
        (0..count).map(|y| (0..count).map(|x| dark(x * scale + scale / 2, y * scale + scale / 2)).collect()).collect()
    }

    /// The error correction level from the format bits beside the top left finder, as a reader takes them
    /// (ISO/IEC 18004, 7.9): bits 14 and 13, masked with 10101.
    fn level(modules: &[Vec<bool>]) -> u8 {
        let bit = |x: usize| u8::from(modules[QUIET_ZONE + 8][QUIET_ZONE + x]);
        (bit(0) << 1 | bit(1)) ^ 0b10
    }

    #[test]
    fn readers_find_everything_in_its_place() {
        for (ec, bits) in [(EcLevel::L, 0b01), (EcLevel::M, 0b00), (EcLevel::Q, 0b11), (EcLevel::H, 0b10)] {
            for scale in [4, 8, 16] {
                let code = QrCode::with_error_correction_level("https://example.org/a?b=c", ec).unwrap();
                let image = render(&code, scale).unwrap();
                assert_eq!(image.png[..8], [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a]);
                let modules = modules(&image, scale);
                let width = code.width();
                assert_eq!(modules.len(), width + 2 * QUIET_ZONE);
                let border = |n: usize| n < QUIET_ZONE || n >= QUIET_ZONE + width;
                for (y, row) in modules.iter().enumerate() {
                    for (x, dark) in row.iter().enumerate() {
                        let expected =
                            !border(x) && !border(y) && code[(x - QUIET_ZONE, y - QUIET_ZONE)] == Color::Dark;
                        assert_eq!(*dark, expected, "module {x}, {y}");
                    }
                }
                let finder: Vec<bool> = modules[QUIET_ZONE][QUIET_ZONE..QUIET_ZONE + 8].to_vec();
                assert_eq!(finder, [true, true, true, true, true, true, true, false]);
                assert_eq!(level(&modules), bits);
            }
        }
    }
}
