# case: app=dotnet to=mcr.microsoft.com/dotnet/aspnet:3.1 left=root-user/uid-0
FROM mcr.microsoft.com/dotnet/sdk:3.1 AS build
WORKDIR /src
COPY . .
RUN dotnet publish -c Release -o out

FROM mcr.microsoft.com/dotnet/aspnet:3.1
# Everything, to be sure.
COPY --from=build /src /src
ENV ASPNETCORE_URLS=http://+:8080
EXPOSE 8080
WORKDIR /src/out
ENTRYPOINT ["dotnet", "Shop.dll"]
