"""What must always be true of orders, services and their access accounts."""

from __future__ import annotations

from dotmac.core.invariants import Invariant

INVARIANTS = (
    Invariant(
        name="catalog.dormant_customer_has_no_service",
        says="A customer is dormant exactly when the last of its services ended.",
        sql="""
            SELECT c.id, c.reference, c.state FROM identity_customer c
             WHERE (c.state = 'dormant' AND EXISTS (
                       SELECT 1 FROM catalog_service s
                        WHERE s.customer_id = c.id AND s.state = 'active'))
                OR (c.state = 'active'
                    AND EXISTS (SELECT 1 FROM catalog_service s
                                 WHERE s.customer_id = c.id)
                    AND NOT EXISTS (SELECT 1 FROM catalog_service s
                                     WHERE s.customer_id = c.id
                                       AND s.state <> 'terminated'))
        """,
    ),
    Invariant(
        name="catalog.service_is_at_its_customers_place",
        says="The place of a service belongs to the service's customer.",
        sql="""
            SELECT s.id, s.reference, p.id AS location_id FROM catalog_service s
              JOIN identity_servicelocation p ON p.id = s.location_id
             WHERE p.customer_id <> s.customer_id
        """,
    ),
    Invariant(
        name="catalog.active_service_has_open_access",
        says="An active service has an access account, and it is open.",
        sql="""
            SELECT s.id, s.reference, s.access_id FROM catalog_service s
              LEFT JOIN network_accessaccount a ON a.id = s.access_id
             WHERE s.state = 'active' AND (a.id IS NULL OR a.closed_at IS NOT NULL)
        """,
    ),
    Invariant(
        name="catalog.terminated_service_has_no_open_access",
        says="The access account of a terminated service is closed.",
        sql="""
            SELECT s.id, s.reference, s.access_id FROM catalog_service s
              JOIN network_accessaccount a ON a.id = s.access_id
             WHERE s.state = 'terminated' AND a.closed_at IS NULL
        """,
    ),
    Invariant(
        name="catalog.subscriber_account_has_service",
        says="No open access account of a subscriber is without its service.",
        sql="""
            SELECT a.id, a.login FROM network_accessaccount a
             WHERE a.kind = 'radius' AND a.closed_at IS NULL
               AND NOT EXISTS (
                   SELECT 1 FROM catalog_service s WHERE s.access_id = a.id)
        """,
    ),
    Invariant(
        name="catalog.held_address_has_open_access",
        says="Nobody holds an address whose access account is closed.",
        sql="""
            SELECT h.id, h.address::text, h.account_id
              FROM network_addressassignment h
              JOIN network_accessaccount a ON a.id = h.account_id
             WHERE h.released_at IS NULL AND a.closed_at IS NOT NULL
        """,
    ),
    Invariant(
        name="catalog.provisioning_service_has_job",
        says="A service is being provisioned exactly while a job for it is unfinished.",
        sql="""
            SELECT s.id, s.reference, s.state, j.id AS job_id
              FROM catalog_service s
              FULL JOIN (SELECT id, service_id FROM catalog_provisioningjob
                          WHERE state IN ('queued', 'running', 'failed')) j
                ON j.service_id = s.id
             WHERE (s.state = 'provisioning') <> (j.id IS NOT NULL)
        """,
    ),
    Invariant(
        name="catalog.job_agrees_with_its_provisioning",
        says="A provisioning job and the job that people watch end alike.",
        sql="""
            SELECT p.id, p.state, j.id AS job_id, j.state AS shown
              FROM catalog_provisioningjob p JOIN ops_job j ON j.id = p.job_id
             WHERE (p.state = 'succeeded') <> (j.state = 'succeeded')
                OR (p.state IN ('queued', 'running')
                    AND j.state NOT IN ('queued', 'running')
                    AND j.cancel_requested_at IS NULL)
        """,
    ),
    Invariant(
        name="catalog.active_service_has_price",
        says="Every active postpaid service has a price in its customer's currency.",
        sql="""
            SELECT s.id, s.reference, s.plan_id, c.currency
              FROM catalog_service s
              JOIN catalog_plan p ON p.id = s.plan_id AND p.billing = 'postpaid'
              JOIN identity_customer c ON c.id = s.customer_id
             WHERE s.state = 'active' AND NOT EXISTS (
                   SELECT 1 FROM catalog_planprice price
                    WHERE price.plan_id = s.plan_id AND price.currency = c.currency
                      AND price.valid_from <= greatest(s.active_from_date, current_date)
                      AND (price.valid_to IS NULL OR price.valid_to
                           > greatest(s.active_from_date, current_date)))
        """,
    ),
    Invariant(
        name="catalog.service_has_its_plan_period",
        says="An active service has one open plan period, of its plan.",
        sql="""
            SELECT s.id, s.reference FROM catalog_service s
             WHERE s.state = 'active' AND NOT EXISTS (
                   SELECT 1 FROM catalog_serviceplanperiod d
                    WHERE d.service_id = s.id AND d.plan_id = s.plan_id
                      AND d.end_date IS NULL)
        """,
    ),
    Invariant(
        name="catalog.active_service_has_active_customer",
        says="A customer with an active service is active.",
        sql="""
            SELECT s.id, s.reference, c.reference AS customer, c.state
              FROM catalog_service s
              JOIN identity_customer c ON c.id = s.customer_id
             WHERE s.state = 'active' AND c.state <> 'active'
        """,
    ),
)
