/** {@code Program SCENARIO BOOTSTRAP PREFIX}: the Java client's programs of the compatibility table. */
public final class Program {
    private Program() {}

    public static void main(String[] arguments) {
        String scenario = arguments[0];
        Clients clients = new Clients(arguments[1], arguments[2]);
        int code = Contract.giveVerdict(() -> run(scenario, clients));
        // Threads of clients that a failed scenario left open do not hold it up.
        Runtime.getRuntime().halt(code);
    }

    private static Contract.Passed run(String scenario, Clients clients) throws Exception {
        if (scenario.startsWith("compression-")) {
            return new Plain(clients).compression(scenario.substring("compression-".length()));
        }
        return switch (scenario) {
            case "keyed" -> new Plain(clients).keyed();
            case "round-robin" -> new Plain(clients).roundRobin();
            case "headers" -> new Plain(clients).headers();
            case "large-messages" -> new Plain(clients).largeMessages();
            case "idempotent" -> new Plain(clients).idempotent();
            case "admin" -> new Plain(clients).admin();
            case "transactions" -> new Groups(clients).transactions();
            case "rebalance" -> new Groups(clients).rebalance();
            case "seek-pause-offsets-for-times" -> new Groups(clients).seekPauseOffsetsForTimes();
            case "commit-and-resume" -> new Groups(clients).commitAndResume();
            case "group-protocol-classic" -> new Groups(clients).groupProtocol("classic");
            case "group-protocol-consumer" -> new Groups(clients).groupProtocol("consumer");
            case "leader-killed" -> new Faults(clients).leaderKilled();
            case "topic-recreated" -> new Faults(clients).topicRecreated();
            default -> throw new IllegalArgumentException("no such scenario: " + scenario);
        };
    }
}
