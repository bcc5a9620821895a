//! Starts the real binary as a process, in folders of its own and on free ports.

mod accounts;
mod browser;
mod commands;
mod doctor;
mod faults;
mod first_run;
mod mail;
mod operations;
mod proxies;
mod pseudo_terminal;
mod serving;
mod settings;
mod settings_from;
mod site;
