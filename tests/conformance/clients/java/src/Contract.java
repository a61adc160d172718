import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.Callable;

/** The program's side of ../../README.md: requests to the harness, the verdict, waiting. */
final class Contract {
    /** A scenario's good end, with what it counted and measured. */
    record Passed(String detail, Map<String, Long> numbers) {}

    private static final BufferedReader ANSWERS =
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));

    private Contract() {}

    /** Have the harness do something; what follows its "ok". */
    static String ask(String request) throws IOException {
        System.out.println("@" + request);
        System.out.flush();
        String answer = ANSWERS.readLine();
        if (answer == null || !(answer.equals("ok") || answer.startsWith("ok "))) {
            throw new Mismatch("the harness answers '" + request + "' with '" + answer + "'");
        }
        return answer.substring(2).trim();
    }

    static void waitUntil(Callable<Boolean> condition, double seconds, String what) throws Exception {
        long deadline = System.nanoTime() + (long) (seconds * 1e9);
        while (!condition.call()) {
            Mismatch.expect(System.nanoTime() < deadline, "not so after " + seconds + " s: " + what);
            Thread.sleep(20);
        }
    }

    /** Run a scenario and print the last line; the exit code. */
    static int giveVerdict(Callable<Passed> scenario) {
        StringBuilder said = new StringBuilder();
        int code = 0;
        try {
            Passed passed = scenario.call();
            said.append("{\"verdict\": \"pass\", \"detail\": ").append(quoted(passed.detail()));
            passed.numbers().forEach(
                    (name, value) -> said.append(", ").append(quoted(name)).append(": ").append(value));
        } catch (Throwable error) {
            error.printStackTrace();
            said.setLength(0);
            said.append("{\"verdict\": \"fail\", \"detail\": ").append(quoted(error.toString()));
            code = 1;
        }
        System.out.println(said.append("}"));
        System.out.flush();
        return code;
    }

    private static String quoted(String text) {
        StringBuilder out = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c < 0x20 || c > 0x7e) {
                out.append(String.format("\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
        return out.append('"').toString();
    }
}
