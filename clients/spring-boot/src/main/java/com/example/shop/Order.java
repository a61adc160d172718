package com.example.shop;

/** What a customer wants: the value of records in {@link Topics#ORDERS}, keyed by customer. */
public record Order(String id, String customer, String item, int quantity) {}
