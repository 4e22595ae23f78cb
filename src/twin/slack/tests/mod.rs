//! The stand-in Slack, asked as a client asks it and listened to as the app listens.

mod acting;
mod agents;
mod api;
mod support;
mod uploads;
mod views;
