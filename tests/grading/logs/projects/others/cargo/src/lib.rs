/// Documented, and tested as documented.
///
/// ```
/// assert_eq!(outcomes::one(), 1);
/// ```
pub fn one() -> u32 {
    1
}

#[cfg(test)]
mod tests {
    use super::one;

    #[test]
    fn passes() {
        assert_eq!(one(), 1);
    }

    #[test]
    fn passes_and_prints() {
        println!("test said::fails ... FAILED");
    }

    #[test]
    fn fails() {
        assert_eq!(one(), 2);
    }

    #[test]
    #[should_panic]
    fn is_meant_to_panic() {
        panic!("as it should");
    }

    #[test]
    #[ignore]
    fn is_ignored() {}
}
