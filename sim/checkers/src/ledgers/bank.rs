//! Accounts between which money moves: every read of all of them has the same sum, and no balance is negative
//! (Jepsen's `bank`).

use alloc::format;
use alloc::vec;

use super::{Listed, Said, wrong};
use crate::history::{Outcome, Value};

/// Judges the answered `read`s, each a map of balances. Without a total, the first read has it; its accounts are all.
pub fn conservation(operations: &Listed<'_>, total: Option<i64>) -> Said {
    let mut reads = operations
        .iter()
        .filter(|(_, operation)| &*operation.f == "read" && operation.outcome == Outcome::Ok)
        .collect::<alloc::vec::Vec<_>>();
    reads.sort_by_key(|(_, operation)| operation.returned);
    let mut first: Option<(&[(Value, Value)], i128)> = None;
    for &&(index, operation) in &reads {
        let Some(accounts) = operation.result.entries() else {
            return Err(operation.refuse("`read` answers a map of accounts and balances"));
        };
        let mut sum = 0;
        for (account, balance) in accounts {
            let Some(balance) = balance.int() else {
                return wrong("balance", format!("{operation}: the balance of {account} is {balance}"), vec![index]);
            };
            if balance < 0 {
                return wrong("overdraft", format!("{operation}: account {account} has {balance}"), vec![index]);
            }
            sum += i128::from(balance);
        }
        let (known, total) = *first.get_or_insert((accounts, total.map_or(sum, i128::from)));
        if let Some((account, _)) =
            accounts.iter().find(|(account, _)| !known.iter().any(|(other, _)| other == account))
        {
            return wrong("account", format!("{operation}: there is no account {account}"), vec![index]);
        }
        if sum != total {
            return wrong(
                "total",
                format!("{operation}: the balances are {sum} together, and should be {total}"),
                vec![index],
            );
        }
    }
    if reads.is_empty() {
        return super::open("no balances were ever read");
    }
    Ok(Ok(vec![("reads", reads.len() as u64)]))
}
