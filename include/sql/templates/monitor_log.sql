{#-
What the prediction log says: the requests of a window in the bins of a baseline, and for the predictions of the last days
whose key has a label in the lake how good they were, and whether the request was as the lake has it.

A prediction may be in the log twice. Its key is its request id. AUC: each prediction's placement among those with the
other label (DeLong et al., Biometrics 44, 1988), by ranks (Sun and Xu, IEEE Signal Processing Letters 21, 2014).
-#}
{%- from "monitor_macros.jinja" import bin_of, as_number, text_of, counts, newest with context -%}
with "logged" as (
  select "request_id", "model_version", "probability", "features", from_iso8601_timestamp("time") as "at"
  from (
    select *, row_number() over (partition by "request_id" order by "time") as "_copy"
    from {{ database | identifier }}.{{ prediction_table | identifier }}
    where "day" between {{ first_delivery | literal }} and {{ last_delivery | literal }}
  )
  where "_copy" = 1
),
"period" as (
  select *
  from "logged"
  where "at" >= from_iso8601_timestamp({{ period_start | literal }}) and "at" < from_iso8601_timestamp({{ window_end | literal }})
),
"counted" as (
  select "probability" as "_score"{% for column in columns if column.type %},
    {% if column.kind == "number" %}try_cast(element_at("features", {{ column.name | literal }}) as double){% else %}element_at("features", {{ column.name | literal }}){% endif %} as {{ column.name | identifier }}{% endfor %}
  from "period"
  where "at" >= from_iso8601_timestamp({{ window_start | literal }})
    and "model_version" = {{ live_version | literal }}
{%- if given_feature %}
    and element_at("features", {{ given_feature | literal }}) is null
{%- endif %}
),
"labels" as (
  select "key", "recorded_at", cast(({{ label_expression }}) as integer) as "label"
  from (
  {{ newest(label_table, label_columns) }}
  )
),
"judged" as (
  select p."model_version", substr(to_iso8601(p."at"), 1, 10) as "period", l."label",
    least(greatest(p."probability", 1E-15), 1E0 - 1E-15) as "probability",
    date_diff('second', p."at", with_timezone(l."recorded_at", 'UTC')) as "delay"
  from "period" p
  join "labels" l on l."key" = p."request_id"
  where l."label" is not null
),
"grouped" as (
  select *
  from "judged"
  union all
  select "model_version", 'all' as "period", "label", "probability", "delay"
  from "judged"
),
"placed" as (
  select *,
    (
      rank() over (partition by "model_version", "period" order by "probability")
      - rank() over (partition by "model_version", "period", "label" order by "probability")
      + (
        count(*) over (partition by "model_version", "period", "probability")
        - count(*) over (partition by "model_version", "period", "label", "probability")
      ) / 2E0
    ) / nullif(
      count(*) over (partition by "model_version", "period") - count(*) over (partition by "model_version", "period", "label"), 0
    ) as "placement"
  from "grouped"
),
"offered" as (
  {{ newest(feature_table, feature_columns) }}
),
"compared" as (
  select {% for field in compared %}
    {% if field.is_number %}case when abs(try_cast(element_at(p."features", {{ field.name | literal }}) as double) - cast(o.{{ field.name | identifier }} as double)) <= 1E-9 + 1E-6 * abs(cast(o.{{ field.name | identifier }} as double)) or (element_at(p."features", {{ field.name | literal }}) is null and o.{{ field.name | identifier }} is null) then 0 else 1 end
    {%- else %}case when coalesce(element_at(p."features", {{ field.name | literal }}), '') = coalesce(cast(o.{{ field.name | identifier }} as varchar), '') then 0 else 1 end
    {%- endif %} as {{ field.name | identifier }}{% if not loop.last %},{% endif %}{% endfor %}
  from "period" p
  join "offered" o on o."key" = p."request_id"
{%- if given_feature %}
  where element_at(p."features", {{ given_feature | literal }}) is null
{%- endif %}
)
{% if columns -%}
{{ counts('"counted"', columns) }}
union all
{% endif -%}
select 'rows' as "measure", '' as "entry", count(*) as "row_count"
from "counted"
union all
select 'version' as "measure", "model_version" as "entry", count(*) as "row_count"
from "period"
group by "model_version"
union all
select 'judged' as "measure",
  "model_version" || '|' || "period" || '|' || cast("label" as varchar) || '|' || {{ text_of('avg("placement")') }} || '|'
  || {{ text_of('var_samp("placement")') }} || '|'
  || {{ text_of('sum(case when "label" = 1 then -ln("probability") else -ln(1E0 - "probability") end)') }} || '|'
  || {{ text_of('sum(("probability" - "label") * ("probability" - "label"))') }} as "entry",
  count(*) as "row_count"
from "placed"
group by "model_version", "period", "label"
union all
select 'delay' as "measure", {{ text_of('approx_percentile("delay", 0.5E0)') }} || '|' || {{ text_of('approx_percentile("delay", 0.9E0)') }} as "entry",
  count(*) as "row_count"
from "judged"
union all
select 'skew' as "measure", u."entry", s."row_count"
from (
  select count(*) as "row_count", array[
    {% for field in compared %}{{ field.name | literal }} || '|' || {{ text_of("sum(" ~ (field.name | identifier) ~ ")") }},
    {% endfor %}'|' || {{ text_of("sum(greatest(" ~ (compared | map(attribute="name") | map("identifier") | join(", ")) ~ ", 0))") }}
  ] as "entries"
  from "compared"
) s
cross join unnest(s."entries") as u("entry")
