-- An account for the fees of gateways, and the policy that operators start with:
-- two reminders, then the walled garden, on any day and at any hour.
INSERT INTO billing_ledgeraccount (code, name, kind, per_customer)
    VALUES (5010, 'Fees of payment gateways', 'expense', false);
INSERT INTO billing_dunningpolicy (slug, name, is_default, ignore_below_minor,
        cut_off_weekdays, cut_off_from_hour, cut_off_to_hour)
    VALUES ('standard', 'Standard', true, 0, '{1,2,3,4,5,6,7}', 0, 24);
INSERT INTO billing_dunningstep (policy_id, number, kind, days_overdue)
    SELECT p.id, s.number, s.kind, s.days_overdue
      FROM billing_dunningpolicy p, (VALUES (1, 'remind', 1), (2, 'remind', 7),
           (3, 'walled_garden', 14)) AS s (number, kind, days_overdue)
     WHERE p.slug = 'standard';
