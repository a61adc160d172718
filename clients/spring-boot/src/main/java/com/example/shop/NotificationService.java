package com.example.shop;

import java.util.List;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.listener.BatchListenerFailedException;
import org.springframework.stereotype.Service;

/**
 * Tells customers of their reservations, at least once. It takes what one poll brought; one that
 * fails is named, so that those before it count as done and only those from it on are tried again.
 */
@Service
public class NotificationService {

    private final Mailbox mailbox;

    NotificationService(Mailbox mailbox) {
        this.mailbox = mailbox;
    }

    @KafkaListener(
            id = "notification",
            topics = Topics.RESERVATIONS,
            groupId = "notification",
            concurrency = "3",
            containerFactory = "batches")
    void tell(List<Reservation> reservations) {
        for (int index = 0; index < reservations.size(); index++) {
            Reservation reservation = reservations.get(index);
            if (reservation == null) {
                throw new BatchListenerFailedException("this is no reservation", index);
            }
            try {
                mailbox.deliver(reservation);
            } catch (RuntimeException error) {
                throw new BatchListenerFailedException(error.getMessage(), error, index);
            }
        }
    }
}
