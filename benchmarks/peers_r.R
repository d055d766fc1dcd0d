# Answers timed calls of R packages, one line in (task, tab, folder of the trial), one line out.
options(warn = -1)
suppress <- function(expr) suppressWarnings(suppressMessages(expr))
input <- file("stdin", "r")
cache <- new.env()
clock <- function() as.numeric(Sys.time())

quoted <- function(x) paste0('"', gsub('["\\\\\n]', " ", x), '"')
number <- function(x) ifelse(is.finite(x), sprintf("%.17g", x), "null")
listed <- function(x) paste0("[", paste(x, collapse = ", "), "]")

reply <- function(...) {
  parts <- list(...)
  fields <- vapply(names(parts), function(k) paste0(quoted(k), ": ", parts[[k]]), "")
  cat("@@{", paste(fields, collapse = ", "), "}\n", sep = "")
  flush(stdout())
}

# the trial as a data frame in memory, read once
trial <- function(folder) {
  if (is.null(cache[[folder]])) {
    about <- readLines(file.path(folder, "columns.txt"))
    n <- as.integer(about[1])
    binary <- file(file.path(folder, "data.bin"), "rb")
    columns <- lapply(about[-1], function(name) readBin(binary, "double", n))
    close(binary)
    names(columns) <- about[-1]
    frame <- as.data.frame(columns)
    panel <- "cohort" %in% names(frame) # its school is a number, as did wants it
    if (!panel) for (name in c("school", "district", "block")) frame[[name]] <- factor(frame[[name]])
    cache[[folder]] <- list(
      frame = frame,
      terms = readLines(file.path(folder, "terms.txt")),
      within = readLines(file.path(folder, "within_terms.txt"))
    )
  }
  cache[[folder]]
}

model <- function(terms, random = NULL) reformulate(c(terms, random), "y1")
answer <- function(terms, estimate, se = numeric(), df = numeric(), p = numeric())
  list(terms = terms, estimate = estimate, se = se, df = df, p = p)
from_lmer <- function(table)
  answer(rownames(table), table[, "Estimate"], table[, "Std. Error"], table[, "df"])

tasks <- list()

tasks$lmerTest_two_levels <- function(t) {
  fit <- lmerTest::lmer(model(t$terms, "(1 | school)"), t$frame)
  from_lmer(summary(fit)$coefficients)
}

tasks$pbkrtest_two_levels <- function(t) {
  fit <- lme4::lmer(model(t$terms, "(1 | school)"), t$frame)
  V <- pbkrtest::vcovAdj(fit)
  b <- lme4::fixef(fit)
  V0 <- vcov(fit)
  df <- vapply(seq_along(b), function(i) pbkrtest::Lb_ddf(as.numeric(seq_along(b) == i), V0, V), 0)
  answer(names(b), b, sqrt(diag(as.matrix(V))), df)
}

tasks$lmerTest_three_levels <- function(t) {
  fit <- lmerTest::lmer(model(t$terms, c("(1 | district)", "(1 | school)")), t$frame)
  from_lmer(summary(fit)$coefficients)
}

tasks$clubSandwich <- function(t) {
  fit <- lm(model(t$terms), t$frame)
  table <- clubSandwich::coef_test(fit, "CR2", cluster = t$frame$school, test = "Satterthwaite")
  answer(names(coef(fit)), table$beta, table$SE, table$df_Satt)
}

# without weights, CR2 of the columns centred on schools is that of the model with school effects
tasks$clubSandwich_absorbed <- function(t) {
  columns <- c("y1", t$within)
  values <- as.matrix(t$frame[columns])
  codes <- as.integer(t$frame$school)
  means <- rowsum(values, codes) / as.vector(table(codes))
  centred <- as.data.frame(values - means[codes, ])
  fit <- lm(reformulate(c("0", t$within), "y1"), centred)
  table <- clubSandwich::coef_test(fit, "CR2", cluster = t$frame$school, test = "Satterthwaite")
  answer(t$within, table$beta, table$SE, table$df_Satt)
}

tasks$estimatr <- function(t) {
  fit <- estimatr::lm_robust(model(t$terms), t$frame, clusters = school, se_type = "CR2")
  answer(names(fit$coefficients), fit$coefficients, fit$std.error, fit$df)
}

tasks$estimatr_absorbed <- function(t) {
  fit <- estimatr::lm_robust(
    model(t$within), t$frame, clusters = school, fixed_effects = ~school, se_type = "CR2"
  )
  answer(names(fit$coefficients), fit$coefficients, fit$std.error, fit$df)
}

tasks$fwildclusterboot <- function(t) {
  fit <- lm(model(t$terms), t$frame)
  boot <- fwildclusterboot::boottest(fit, clustid = "school", param = "treat", B = 9999)
  estimate <- coef(fit)[["treat"]]
  answer("treat", estimate, estimate / boot$t_stat, p = boot$p_val)
}

# 20 re-draws within blocks; the statistic is t of lm_robust with Stata's clustered variance
tasks$estimatr_randomisation <- function(t) {
  d <- t$frame
  schools <- d[!duplicated(d$school), c("school", "block", "treat")]
  fit_once <- function(d) {
    estimatr::lm_robust(model(t$terms), d, clusters = school, se_type = "stata")
  }
  observed <- fit_once(d)
  began <- clock()
  statistic <- vapply(1:20, function(i) {
    z <- ave(schools$treat, schools$block, FUN = sample)
    d$treat <- z[as.integer(d$school)]
    fit_once(d)$statistic[["treat"]]
  }, 0)
  seconds <- clock() - began
  found <- answer("treat", observed$coefficients[["treat"]], observed$std.error[["treat"]])
  c(found, seconds = seconds)
}

# timed by refit, compared by lmer: in some versions refit optimises another criterion than REML
tasks$lme4_refit <- function(t) {
  random <- "(1 | school)"
  fit <- lme4::lmer(model(t$terms, random), t$frame)
  outcomes <- paste0("y", 1:50)
  began <- clock()
  for (y in outcomes) lme4::refit(fit, t$frame[[y]])
  seconds <- clock() - began
  anew <- lapply(outcomes, function(y) lme4::lmer(reformulate(c(t$terms, random), y), t$frame))
  estimate <- vapply(anew, function(f) lme4::fixef(f)[["treat"]], 0)
  se <- vapply(anew, function(f) sqrt(vcov(f)["treat", "treat"]), 0)
  c(answer(outcomes, estimate, se), seconds = seconds)
}

tasks$did <- function(t) {
  fit <- did::att_gt(
    yname = "y1", tname = "year", idname = "school", gname = "cohort", data = t$frame,
    control_group = "nevertreated", est_method = "reg", base_period = "varying",
    bstrap = TRUE, cband = TRUE, biters = 1000, print_details = FALSE
  )
  part <- function(type) did::aggte(fit, type = type, bstrap = TRUE, cband = TRUE, biters = 1000)
  since <- part("dynamic")
  cohorts <- part("group")
  answer(
    c("treated", sprintf("treated[since=%d]", as.integer(since$egt)),
      sprintf("treated[cohort=%d]", as.integer(cohorts$egt))),
    c(part("simple")$overall.att, since$att.egt, cohorts$att.egt)
  )
}

tasks$fixest <- function(t) {
  fit <- fixest::feols(y1 ~ treat | school + year, t$frame, cluster = ~school)
  answer("treat", coef(fit)[["treat"]])
}

packages <- c(
  "lme4", "lmerTest", "pbkrtest", "clubSandwich", "estimatr", "fwildclusterboot", "did", "fixest"
)
versions <- vapply(packages, function(p)
  if (suppress(requireNamespace(p, quietly = TRUE))) as.character(packageVersion(p)) else "", "")
blas <- basename(extSoftVersion()[["BLAS"]]) # its choice makes the peers' matrix calls slow or fast
versions <- c(versions, R = paste0(R.version$major, ".", R.version$minor, " with ", blas))
pairs <- paste0(quoted(names(versions)), ": ", quoted(versions))
reply(versions = paste0("{", paste(pairs, collapse = ", "), "}"))

while (length(line <- readLines(input, 1)) > 0) {
  asked <- strsplit(line, "\t")[[1]]
  set.seed(1)
  outcome <- tryCatch({
    t <- trial(asked[2])
    began <- clock()
    found <- suppress(tasks[[asked[1]]](t))
    if (is.null(found$seconds)) found$seconds <- clock() - began
    found
  }, error = function(e) list(error = conditionMessage(e)))
  if (!is.null(outcome$error)) {
    reply(error = quoted(outcome$error))
  } else {
    reply(
      seconds = number(outcome$seconds), terms = listed(quoted(outcome$terms)),
      estimate = listed(number(outcome$estimate)), std_error = listed(number(outcome$se)),
      df = listed(number(outcome$df)), p_value = listed(number(outcome$p))
    )
  }
}
