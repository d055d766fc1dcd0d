# Evaluate stored R calls again and write their main quantities.
#
#     Rscript reference.R jobs.tsv results.tsv
#
# jobs.tsv has a header and one job per line:
#   name     the entry; its prefix says how to read the fit: lmm, crve or estimatr
#   call     the R call, as stored; the data are `d`
#   data     path of the CSV (may be gzipped; an empty cell is missing)
#   prepare  an R expression of `d` that returns the rows and columns fitted ("d" for all)
# After that, block, pair, year and qrtl become factors, first level the base.
#
# results.tsv has one number per line, of 17 digits: name, quantity, term, value. A call that fails
# leaves one line, quantity "error", with R's message as its term. Needs, by prefix:
#   lmm       lme4, lmerTest, pbkrtest
#   crve      clubSandwich (and lme4 for a fit by lmer)
#   estimatr  estimatr

FACTORS <- c("block", "pair", "year", "qrtl")
TYPES <- c("CR1", "CR2")

read_data <- function(path, prepare) {
  d <- read.csv(path, na.strings = c("", "NA"))
  d <- eval(str2lang(prepare), list(d = d))
  for (column in intersect(FACTORS, names(d))) d[[column]] <- factor(d[[column]])
  d
}

rows <- function(quantity, values, terms = names(values)) {
  data.frame(quantity = quantity, term = terms, value = unname(values))
}

# Coefficients and standard errors with both degrees of freedom. pbkrtest takes neither weights nor
# a fit by maximum likelihood.
lmm <- function(call, d) {
  fit <- eval(parse(text = call), list(d = d))
  satterthwaite <- coef(summary(fit))
  found <- rbind(
    rows("fixef", lme4::fixef(fit)),
    rows("se", satterthwaite[, "Std. Error"], rownames(satterthwaite)),
    rows("satterthwaite df", satterthwaite[, "df"], rownames(satterthwaite))
  )
  if (!lme4::isREML(fit) || any(weights(fit) != 1)) return(found)
  adjusted <- coef(summary(fit, ddf = "Kenward-Roger"))
  rbind(
    found,
    rows("kenward_roger se", adjusted[, "Std. Error"], rownames(adjusted)),
    rows("kenward_roger df", adjusted[, "df"], rownames(adjusted))
  )
}

# A stored call reads "fit <- …; vcovCR(fit, …, type=<type>); coef_test(...); …": the first statement
# is the fit, the second its variance.
crve <- function(call, d) {
  statements <- strsplit(call, ";\\s*")[[1]]
  scope <- list2env(list(d = d, d2 = d), parent = globalenv())
  eval(str2lang(statements[1]), scope)
  fit <- scope$fit
  coefficients <- if (inherits(fit, "merMod")) lme4::fixef(fit) else coef(fit)
  found <- rows("coef", coefficients[!is.na(coefficients)])
  for (type in TYPES) {
    variance <- gsub("<type>", dQuote(type, FALSE), statements[2], fixed = TRUE)
    scope$V <- eval(str2lang(paste0("clubSandwich::", variance)), scope)
    tested <- clubSandwich::coef_test(fit, vcov = scope$V, test = "Satterthwaite")
    df <- tested[[grep("^df", names(tested))[1]]]
    found <- rbind(
      found,
      rows(paste(type, "se"), tested$SE, rownames(tested)),
      rows(paste(type, "satt_df"), df, rownames(tested))
    )
  }
  found
}

estimatr <- function(call, d) {
  fit <- eval(parse(text = call), list(d = d))
  terms <- names(fit$coefficients)
  rbind(
    rows("estimate", fit$coefficients, terms),
    rows("se", fit$std.error, terms),
    rows("df", fit$df, terms)
  )
}

evaluate <- function(job) {
  reader <- list(lmm = lmm, crve = crve, estimatr = estimatr)[[sub("\\..*", "", job$name)]]
  attempt <- function() reader(job$call, read_data(job$data, job$prepare))
  failed <- function(problem) {
    rows("error", NA_real_, gsub("\\s+", " ", conditionMessage(problem)))
  }
  found <- tryCatch(suppressMessages(suppressWarnings(attempt())), error = failed)
  cbind(name = job$name, found)
}

paths <- commandArgs(trailingOnly = TRUE)
if (length(paths) != 2) stop("expected two paths: jobs.tsv results.tsv")
jobs <- read.delim(paths[1], quote = "", comment.char = "", colClasses = "character")
results <- do.call(rbind, lapply(split(jobs, seq_len(nrow(jobs))), evaluate))
results$value <- sprintf("%.17g", results$value)
write.table(results, paths[2], sep = "\t", quote = FALSE, row.names = FALSE)
