package com.example.shop;

/** What an order takes out of stock: values in {@link Topics#STOCK_MOVEMENTS}, keyed by item. */
public record StockMovement(String orderId, String item, int change) {}
