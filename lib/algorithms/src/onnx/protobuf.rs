//! The wire format of Protocol Buffers, as far as ONNX needs it: fields are appended, and read back without trust.

/// A message that fields are appended to.
#[derive(Debug, Default)]
pub(crate) struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    /// A whole number.
    pub(super) fn int(&mut self, field: u64, value: i64) {
        self.varint(field << 3);
        self.varint(value.cast_unsigned());
    }

    /// A number in single precision.
    pub(super) fn single(&mut self, field: u64, value: f32) {
        self.varint(field << 3 | 5);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    /// Bytes, a text or a message that is there already.
    pub(super) fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.length(field, bytes.len());
        self.0.extend_from_slice(bytes);
    }

    /// A message.
    pub(super) fn message(&mut self, field: u64, message: &Self) {
        self.bytes(field, &message.0);
    }

    /// `count` pieces of `N` bytes each, such as little-endian numbers.
    pub(super) fn pieces<const N: usize>(&mut self, field: u64, pieces: impl ExactSizeIterator<Item = [u8; N]>) {
        self.length(field, pieces.len() * N);
        pieces.for_each(|piece| self.0.extend_from_slice(&piece));
    }

    /// Whole numbers in one field.
    pub(super) fn ints(&mut self, field: u64, values: &[i64]) {
        let mut packed = Self::default();
        for value in values {
            packed.varint(value.cast_unsigned());
        }
        self.message(field, &packed);
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }

    fn length(&mut self, field: u64, bytes: usize) {
        self.varint(field << 3 | 2);
        self.varint(bytes as u64);
    }
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value<'a> {
    /// A whole number.
    Int(u64),
    /// Bytes, a text, a message or several whole numbers.
    Bytes(&'a [u8]),
    /// Four or eight bytes, which nothing here looks at.
    Fixed,
}

/// The bytes are no fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

/// The fields of a message, in their order.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    fn varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0_u64;
        for shift in (0..70).step_by(7) {
            let (&byte, rest) = self.0.split_first().ok_or(Malformed)?;
            self.0 = rest;
            // The tenth byte holds the last bit alone.
            if shift == 63 && byte > 1 {
                return Err(Malformed);
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Malformed)
    }

    fn take(&mut self, count: u64) -> Result<&'a [u8], Malformed> {
        let count = usize::try_from(count).map_err(|_| Malformed)?;
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    fn field(&mut self) -> Result<(u64, Value<'a>), Malformed> {
        let key = self.varint()?;
        let value = match key & 7 {
            0 => Value::Int(self.varint()?),
            1 => self.take(8).map(|_| Value::Fixed)?,
            2 => {
                let length = self.varint()?;
                Value::Bytes(self.take(length)?)
            }
            5 => self.take(4).map(|_| Value::Fixed)?,
            _ => return Err(Malformed),
        };
        Ok((key >> 3, value))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

/// The whole numbers of a field that [`Message::ints`] wrote.
pub(super) fn ints(bytes: &[u8]) -> Result<Vec<i64>, Malformed> {
    let mut fields = Fields(bytes);
    let mut values = Vec::new();
    while !fields.0.is_empty() {
        values.push(fields.varint()?.cast_signed());
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_they_were_written() {
        let mut inner = Message::default();
        inner.int(1, -1);
        let mut message = Message::default();
        message.int(1, 300);
        message.bytes(2, "é".as_bytes());
        message.message(16, &inner);
        message.ints(3, &[0, 127, 128, i64::MIN]);
        message.pieces(4, [1.5_f64, 2.5].into_iter().map(f64::to_le_bytes));
        let bytes = message.into_bytes();
        assert_eq!(&bytes[..6], [0x08, 0xac, 0x02, 0x12, 0x02, 0xc3], "as the documentation of the format has it");
        let fields = Fields(&bytes).collect::<Result<Vec<_>, _>>().unwrap();
        assert_eq!(fields[0], (1, Value::Int(300)));
        assert_eq!(fields[1], (2, Value::Bytes("é".as_bytes())));
        let (16, Value::Bytes(inner)) = fields[2] else { panic!("{fields:?}") };
        assert_eq!(Fields(inner).next(), Some(Ok((1, Value::Int(u64::MAX)))));
        let (3, Value::Bytes(packed)) = fields[3] else { panic!("{fields:?}") };
        assert_eq!(ints(packed).unwrap(), [0, 127, 128, i64::MIN]);
        assert!(matches!(fields[4], (4, Value::Bytes(numbers)) if numbers.len() == 16));
    }

    #[test]
    fn what_is_cut_off_or_too_long_is_malformed() {
        for bytes in [&[0x08][..], &[0x08, 0x80], &[0x12, 5, 1], &[0x0b], &[0x0d, 1, 2, 3], &[0xff; 11]] {
            assert_eq!(Fields(bytes).last(), Some(Err(Malformed)), "{bytes:?}");
        }
        let mut long = vec![0x12];
        long.extend([0xff; 9]);
        long.push(1);
        assert_eq!(Fields(&long).last(), Some(Err(Malformed)), "a length beyond everything");
        assert_eq!(ints(&[0x80]), Err(Malformed));
    }
}
