/** What was read, or answered, is not what was expected; the text says both. */
final class Mismatch extends RuntimeException {
    Mismatch(String what) {
        super(what);
    }

    static void expect(boolean condition, String what) {
        if (!condition) {
            throw new Mismatch(what);
        }
    }
}
