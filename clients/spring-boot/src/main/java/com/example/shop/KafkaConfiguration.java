package com.example.shop;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serializer;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.kafka.autoconfigure.ConcurrentKafkaListenerContainerFactoryConfigurer;
import org.springframework.boot.kafka.autoconfigure.DefaultKafkaProducerFactoryCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.config.ConcurrentKafkaListenerContainerFactory;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.core.DefaultKafkaProducerFactory;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.core.ProducerFactory;
import org.springframework.kafka.listener.AfterRollbackProcessor;
import org.springframework.kafka.listener.DeadLetterPublishingRecoverer;
import org.springframework.kafka.listener.DefaultAfterRollbackProcessor;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.kafka.support.converter.ByteArrayJacksonJsonMessageConverter;
import org.springframework.kafka.support.converter.RecordMessageConverter;
import org.springframework.kafka.support.serializer.DelegatingByTypeSerializer;
import org.springframework.kafka.support.serializer.JacksonJsonSerializer;
import org.springframework.util.backoff.BackOff;
import org.springframework.util.backoff.FixedBackOff;
import tools.jackson.databind.json.JsonMapper;

/** What differs from Spring Boot's defaults. */
@Configuration
public class KafkaConfiguration {

    /** Objects travel as JSON without Java's class names; bytes, of dead letters, as they are. */
    @Bean
    DefaultKafkaProducerFactoryCustomizer valuesAsJson(JsonMapper json) {
        Map<Class<?>, Serializer<?>> byType = new LinkedHashMap<>();
        byType.put(byte[].class, new ByteArraySerializer());
        byType.put(Object.class, new JacksonJsonSerializer<>(json).noTypeInfo());
        return factory -> setValueSerializer(factory, new DelegatingByTypeSerializer(byType, true));
    }

    @SuppressWarnings("unchecked")
    private static void setValueSerializer(
            DefaultKafkaProducerFactory<?, ?> factory, Serializer<Object> serializer) {
        ((DefaultKafkaProducerFactory<Object, Object>) factory).setValueSerializer(serializer);
    }

    @Bean
    RecordMessageConverter jsonOfBytes(JsonMapper json) {
        return new ByteArrayJacksonJsonMessageConverter(json);
    }

    /** One template for both: outside a transaction it sends at once, with an idempotent producer. */
    @Bean
    KafkaTemplate<String, Object> kafkaTemplate(ProducerFactory<String, Object> producers) {
        KafkaTemplate<String, Object> template = new KafkaTemplate<>(producers);
        template.setAllowNonTransactional(true);
        return template;
    }

    @Bean
    DeadLetterPublishingRecoverer toDeadLetterTopic(KafkaTemplate<String, Object> template) {
        return new DeadLetterPublishingRecoverer(template);
    }

    @Bean
    BackOff retries(
            @Value("${shop.retry-interval}") Duration interval,
            @Value("${shop.retries}") long retries) {
        return new FixedBackOff(interval.toMillis(), retries);
    }

    /**
     * For the transactional listeners that Boot's own factory makes: what fails is rolled back and
     * tried again; a dead letter and the offset behind it are committed in one transaction.
     */
    @Bean
    AfterRollbackProcessor<Object, Object> afterRollback(
            DeadLetterPublishingRecoverer toDeadLetterTopic,
            BackOff retries,
            KafkaTemplate<String, Object> template) {
        return new DefaultAfterRollbackProcessor<>(toDeadLetterTopic, retries, template, true);
    }

    /**
     * For listeners outside transactions, by default of batches. The error handler is no bean: Boot would give
     * it to the transactional listeners as well, and their failures would not be rolled back.
     */
    @Bean
    ConcurrentKafkaListenerContainerFactory<Object, Object> batches(
            ConcurrentKafkaListenerContainerFactoryConfigurer configurer,
            ConsumerFactory<Object, Object> consumers,
            DeadLetterPublishingRecoverer toDeadLetterTopic,
            BackOff retries) {
        ConcurrentKafkaListenerContainerFactory<Object, Object> factory =
                new ConcurrentKafkaListenerContainerFactory<>();
        configurer.configure(factory, consumers);
        factory.setBatchListener(true);
        factory.getContainerProperties().setKafkaAwareTransactionManager(null);
        factory.setCommonErrorHandler(new DefaultErrorHandler(toDeadLetterTopic, retries));
        return factory;
    }
}
