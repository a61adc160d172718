package com.example.shop;

/** Goods set aside for an order: values in {@link Topics#RESERVATIONS}, keyed by customer. */
public record Reservation(String orderId, String customer, String item, int quantity, String shelf) {}
