//! What is promised and expected, and which runs are looked at.

use super::{piece, verbed, written};

verbed! {
    /// One of `[invariants]`: is it right?
    ///
    /// ```
    /// use stormglass::builder::{Builder, Invariant};
    ///
    /// let mut bank = Builder::new("bank");
    /// let total: Vec<String> = (0..3).map(|n| format!("sum(bank_{n}.accounts)")).collect();
    /// bank.invariant("money", Invariant::at_rest(format!("{} == 300", total.join(" + "))).text("no money is made"))
    ///     .invariant("no_overdraft", Invariant::always("min(bank_0.accounts) >= 0"))
    ///     .invariant("atomic", Invariant::check("atomic_commit").of("transactions.transfer"))
    ///     .invariant("served", Invariant::leads_to("status == 'sent'").when("status == 'paid'").within("5s"))
    ///     .invariant("heals", Invariant::eventually_after_heal("bank_0.up == 1").within("10s"));
    /// assert!(bank.text().contains("no_overdraft = { always = \"min(bank_0.accounts) >= 0\" }"));
    /// ```
    Invariant
}

piece! {
    /// `[expect]`: how the promises are expected to come out.
    ///
    /// ```
    /// use stormglass::builder::Expect;
    ///
    /// let expect = Expect::new().verdict("fail").fails(["money"]).may_fail(["fast"]).vacuous(["never_asked"]).seeds("some");
    /// assert!(expect.to_string().starts_with(r#"{ verdict = "fail", fails = ["money"]"#));
    /// ```
    Expect
}

piece! {
    /// `[sweep]`: which seeds and variants are run, and which values are put in.
    ///
    /// ```
    /// use stormglass::builder::{Builder, Sweep};
    ///
    /// let mut shop = Builder::new("shop");
    /// shop.sweep(Sweep::new().seeds("0..100").variants("all").matrix("services.bank.nodes", [1, 2, 3]));
    /// assert!(shop.text().contains(r#"matrix   = { "services.bank.nodes" = [1, 2, 3] }"#));
    /// ```
    Sweep
}

piece! {
    /// `[repro]`: of which run a file is what it came to.
    ///
    /// ```
    /// use stormglass::builder::Repro;
    ///
    /// let repro = Repro::new().epoch(1).fingerprint("00000000deadbeef").violates(["money/at_rest"]);
    /// assert!(repro.to_string().contains("money/at_rest"));
    /// ```
    Repro
}
